package dev.twinbox.postgres;

import java.sql.Connection;

/** Spring's current transaction, if Spring is there: classes that know it are loaded only then. */
final class SpringTransaction {
  private static final boolean PRESENT =
      isPresent("org.springframework.transaction.support.TransactionSynchronizationManager");
  private static final boolean JDBC_PRESENT =
      PRESENT && isPresent("org.springframework.jdbc.datasource.ConnectionHolder");

  private SpringTransaction() {}

  /**
   * Refuses before a connection is taken, which could only be given back.
   *
   * @throws IllegalStateException when Spring has no transaction or it is over
   */
  static void demandActive() {
    if (!PRESENT) {
      throw none();
    }
    SpringScope.demandActive();
  }

  /**
   * Refuses a connection that Spring has bound to a scope in which nothing is committed any more or
   * nothing may be written; others are their caller's unless only Spring would commit them.
   */
  static void demand(Connection connection, boolean onlySpringCommits) {
    if (PRESENT) {
      SpringScope.demand(connection, onlySpringCommits);
    } else if (onlySpringCommits) {
      throw none();
    }
  }

  /** Whether spring-jdbc is there, which binds connections. */
  static boolean knowsConnections() {
    return JDBC_PRESENT;
  }

  static IllegalStateException none() {
    return new IllegalStateException(
        "The call is in no transaction. Its connection is taken for one statement, so what is written"
            + " would be rolled back by the pool or, in auto-commit mode, committed apart from your"
            + " own rows. Begin a transaction: Spring's @Transactional (a DSLContext needs a"
            + " transaction-aware data source), or dsl.transaction(work -> ... work.dsl() ...) and"
            + " its context; or pass the Connection of a transaction that you commit yourself.");
  }

  private static boolean isPresent(String name) {
    try {
      Class.forName(name, false, SpringTransaction.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException | LinkageError e) {
      return false;
    }
  }
}
