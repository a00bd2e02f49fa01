package dev.twinbox.postgres;

import java.util.Iterator;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.NoTransactionException;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.interceptor.TransactionAspectSupport;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Tells from the stack whether Spring is calling back after the current transaction's end. Nothing
 * else does: while afterCommit runs, all of Spring's flags are up, and a REQUIRED method called
 * from afterCompletion raises them anew for the transaction that is over. Walked once a
 * transaction.
 */
final class SpringPhase {
  private static final String CALLER =
      "org.springframework.transaction.support.TransactionSynchronizationUtils";
  private static final StackWalker STACK =
      StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

  private SpringPhase() {}

  /** A callback under way: which, and whose. */
  private record Callback(String phase, @Nullable Class<?> declaring) {
    boolean isAfterCommit() {
      return phase.equals("afterCommit");
    }
  }

  /**
   * Refuses what is called after the current transaction's end.
   *
   * @return whether it could not be decided
   */
  static boolean refuseAfterCommit() {
    Callback callback = STACK.walk(SpringPhase::callback);
    if (callback == null) {
      return false;
    }
    Boolean begun = isBegunByAnnotation();
    if (Boolean.TRUE.equals(begun)) {
      return false;
    }
    // A transaction begun inside the callback has synchronizations of its own.
    if (callback.isAfterCommit() ? isRegisteredHere(callback) : Boolean.FALSE.equals(begun)) {
      throw SpringScope.tooLate(callback.phase);
    }
    return !callback.isAfterCommit();
  }

  private static @Nullable Callback callback(Stream<StackWalker.StackFrame> frames) {
    Class<?> called = null;
    for (Iterator<StackWalker.StackFrame> i = frames.iterator(); i.hasNext(); ) {
      StackWalker.StackFrame frame = i.next();
      if (frame.getClassName().equals(CALLER)) {
        switch (frame.getMethodName()) {
          case "invokeAfterCommit" -> {
            return new Callback("afterCommit", called);
          }
          case "invokeAfterCompletion" -> {
            return new Callback("afterCompletion", called);
          }
          default -> {}
        }
      }
      called = frame.getDeclaringClass();
    }
    return null;
  }

  private static boolean isRegisteredHere(Callback callback) {
    Class<?> declaring = callback.declaring;
    if (declaring == null) {
      return true;
    }
    for (TransactionSynchronization registered :
        TransactionSynchronizationManager.getSynchronizations()) {
      if (declaring.isInstance(registered)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether the method with Spring's annotation that gave the current transaction its name began
   * it, or took part in one that was there; null when that cannot be known.
   */
  private static @Nullable Boolean isBegunByAnnotation() {
    try {
      TransactionStatus status = TransactionAspectSupport.currentTransactionStatus();
      String name = TransactionSynchronizationManager.getCurrentTransactionName();
      boolean current = name != null && Objects.equals(name, status.getTransactionName());
      return current ? status.isNewTransaction() && !status.isCompleted() : null;
    } catch (NoTransactionException | LinkageError e) {
      return null;
    }
  }
}
