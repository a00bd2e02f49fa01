package dev.twinbox.postgres;

import java.sql.Connection;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * What Spring knows of the current thread's transaction. Spring keeps its flags up while callbacks
 * run after the commit, so flags alone prove nothing; docs/adr/0027 has the cases.
 */
final class SpringScope {
  private SpringScope() {}

  static void demandActive() {
    if (!TransactionSynchronizationManager.isActualTransactionActive()
        && SpringConnections.noneIsBound()) {
      throw SpringTransaction.none();
    }
    refuseCompleted();
  }

  static void demand(Connection connection, boolean onlySpringCommits) {
    boolean synchronizing = TransactionSynchronizationManager.isSynchronizationActive();
    boolean active = TransactionSynchronizationManager.isActualTransactionActive();
    if (!onlySpringCommits && !synchronizing && !active && SpringConnections.noneIsBound()) {
      return;
    }
    Connection target = SpringConnections.target(connection);
    SpringMark mark = synchronizing ? SpringMark.current() : null;
    if (mark != null && mark.isOf(target)) {
      mark.refuseEnded();
      return;
    }
    SpringConnections.Binding binding = SpringConnections.bindingOf(target);
    if (binding == SpringConnections.Binding.NONE && !onlySpringCommits) {
      return;
    }
    refuseCompleted();
    boolean doubtful = synchronizing && active && SpringPhase.refuseAfterCommit();
    if (binding != SpringConnections.Binding.MANAGED) {
      if (!active) {
        throw SpringTransaction.none();
      }
      if (SpringConnections.anotherIsManaged() || !SpringConnections.mayBeJta()) {
        throw foreign();
      }
    }
    if (TransactionSynchronizationManager.isCurrentTransactionReadOnly()) {
      throw CallersTransaction.readOnly("readOnly = true in Spring");
    }
    if (synchronizing && active) {
      SpringMark.put(target, doubtful);
    }
  }

  /** Before afterCompletion and AFTER_COMMIT listeners, Spring takes the synchronizations away. */
  private static void refuseCompleted() {
    if (TransactionSynchronizationManager.isActualTransactionActive()
        && !TransactionSynchronizationManager.isSynchronizationActive()) {
      throw tooLate("afterCompletion or a listener AFTER_COMMIT, AFTER_ROLLBACK, AFTER_COMPLETION");
    }
  }

  static IllegalStateException tooLate(@Nullable String phase) {
    return new IllegalStateException(
        ("Spring's transaction is over: this is called from %s, and nobody commits what is written"
                + " there. Call it before the commit"
                + " (@TransactionalEventListener(phase = BEFORE_COMMIT), beforeCommit, or in the"
                + " transaction's own method), or in a transaction of its own"
                + " (Propagation.REQUIRES_NEW).")
            .formatted(phase));
  }

  private static IllegalStateException foreign() {
    return new IllegalStateException(
        "The connection is not that of Spring's current transaction, so nobody would commit what is"
            + " written on it. Build the DSLContext on new TransactionAwareDataSourceProxy(...) of"
            + " the data source that the transaction manager of this transaction was given, and"
            + " name the transaction manager where there are several.");
  }
}
