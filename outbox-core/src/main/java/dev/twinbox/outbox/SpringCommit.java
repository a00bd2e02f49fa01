package dev.twinbox.outbox;

import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** The only class that knows Spring, so that it is loaded only where Spring is. */
final class SpringCommit {
  private static final boolean PRESENT = isPresent();

  private SpringCommit() {}

  /** Calls {@code wake} once after the commit of Spring's current transaction, if there is one. */
  static void wakeAfterCommit(Wakeups wakeups) {
    if (PRESENT) {
      Registration.register(wakeups);
    }
  }

  private static boolean isPresent() {
    try {
      Class.forName(
          "org.springframework.transaction.support.TransactionSynchronizationManager",
          false,
          SpringCommit.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }

  /** Linked only after the check. */
  private static final class Registration {
    static void register(Wakeups wakeups) {
      if (!TransactionSynchronizationManager.isSynchronizationActive()) {
        return;
      }
      for (TransactionSynchronization other :
          TransactionSynchronizationManager.getSynchronizations()) {
        if (other instanceof WakeAfterCommit wake && wake.wakeups == wakeups) {
          return;
        }
      }
      TransactionSynchronizationManager.registerSynchronization(new WakeAfterCommit(wakeups));
    }
  }

  private static final class WakeAfterCommit implements TransactionSynchronization {
    private final Wakeups wakeups;

    WakeAfterCommit(Wakeups wakeups) {
      this.wakeups = wakeups;
    }

    @Override
    public void afterCommit() {
      wakeups.wake();
    }
  }
}
