package dev.twinbox.outbox;

import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** Sees from another connection that one waits for a lock. */
final class Waiting {
  private Waiting() {}

  static int pid(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery("select pg_backend_pid()")) {
      result.next();
      return result.getInt(1);
    }
  }

  static void untilBlocked(TestOutbox test, int pid) {
    await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                test.one("select cardinality(pg_blocking_pids(%s)) > 0".formatted(pid))
                    .equals("t"));
  }
}
