package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;

/** Runs the inbox's own statements, each piece of work in a transaction of its own. */
final class Transactions {
  /** So often a serialization failure or deadlock is met with another run, without counting it. */
  static final int RUNS = 20;

  private static final int LONGEST_PAUSE_MILLIS = 500;

  private final DataSource dataSource;

  Transactions(DataSource dataSource) {
    this.dataSource = dataSource;
  }

  /** Statements that may be run again as a whole. */
  @FunctionalInterface
  interface SqlWork<T> {
    T on(Connection connection) throws SQLException;
  }

  /** The same, up to and with the commit. */
  @FunctionalInterface
  private interface Committing<T> {
    T on(OpenTransaction transaction) throws SQLException;
  }

  OpenTransaction open() {
    try {
      return OpenTransaction.begin(dataSource);
    } catch (SQLException e) {
      throw new DatabaseUnavailableException("No connection to the database", e);
    }
  }

  <T> T run(String complaint, SqlWork<T> work) {
    return runCommitting(
        complaint,
        transaction -> {
          try (Statement statement = transaction.connection().createStatement()) {
            statement.execute(OpenTransaction.BEGUN);
          }
          T result = work.on(transaction.connection());
          transaction.commit();
          return result;
        });
  }

  /** The same for one text that sets the isolation level first and commits at its end. */
  <T> T runText(String complaint, SqlWork<T> text) {
    return runCommitting(complaint, transaction -> text.on(transaction.connection()));
  }

  private <T> T runCommitting(String complaint, Committing<T> work) {
    for (int run = 1; ; run++) {
      try (OpenTransaction transaction = open()) {
        return work.on(transaction);
      } catch (SQLException e) {
        if (!SqlTrouble.runAgain(e) || run == RUNS) {
          throw new DatabaseUnavailableException(complaint, e);
        }
      }
      pauseBeforeRun(run + 1);
    }
  }

  /** Lets two transactions that met in a deadlock come back at different times. */
  static void pauseBeforeRun(int run) {
    int limit = Math.min(LONGEST_PAUSE_MILLIS, 4 << Math.min(run, 10));
    try {
      Thread.sleep(ThreadLocalRandom.current().nextInt(1, limit));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatabaseUnavailableException("Interrupted while waiting for another run", e);
    }
  }
}
