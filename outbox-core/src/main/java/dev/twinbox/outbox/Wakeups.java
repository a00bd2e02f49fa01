package dev.twinbox.outbox;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Who wants to know that messages may have been committed. */
final class Wakeups {
  private static final System.Logger LOG = System.getLogger(Outbox.class.getName());

  private final List<Listener> listeners = new CopyOnWriteArrayList<>();

  Outbox.Subscription add(Runnable listener) {
    Listener added = new Listener(listener);
    listeners.add(added);
    return () -> listeners.remove(added);
  }

  boolean isEmpty() {
    return listeners.isEmpty();
  }

  /** Called after commit, where an exception would look like a failed commit: so none leaves. */
  void wake() {
    for (Listener listener : listeners) {
      try {
        listener.action.run();
      } catch (Throwable e) { // whatever it is: the transaction is committed
        log(e);
      }
    }
  }

  private static void log(Throwable error) {
    String text = "A wake-up listener of the outbox failed";
    try {
      LOG.log(System.Logger.Level.WARNING, text, error);
    } catch (Throwable e) { // a logger asks the error for its message, which may throw in turn
      LOG.log(System.Logger.Level.WARNING, text + ": " + error.getClass().getName());
    }
  }

  /** Not a record: the same action added twice is removed one at a time. */
  private static final class Listener {
    private final Runnable action;

    Listener(Runnable action) {
      this.action = action;
    }
  }
}
