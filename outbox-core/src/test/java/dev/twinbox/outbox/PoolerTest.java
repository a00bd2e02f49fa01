package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import dev.twinbox.testkit.TransactionPooler;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.jooq.exception.DataAccessException;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;

/** A pooler that lends its connections for single transactions. */
class PoolerTest {
  private final TestDatabase database = TestPostgres.shared().createDatabase();
  private final Outbox outbox = Outbox.builder().source("/test").build();

  @Test
  void enqueueNamesNoStatementBehindAProxyWhateverTheDriversSettingIs() throws SQLException {
    Migrations.apply(database.dataSource());
    try (TransactionPooler pooler = TransactionPooler.to(database.port(), 2);
        Connection one = connect(pooler.port(), "?prepareThreshold=1");
        Connection other = connect(pooler.port(), "?prepareThreshold=1")) {
      for (int i = 0; i < 10; i++) {
        for (Connection each : List.of(one, other)) {
          outbox.enqueue(each, message("single"));
          outbox.enqueueAll(each, List.of(message("a"), message("b")));
          commit(each);
        }
      }
      assertThat(one.unwrap(PGConnection.class).getPrepareThreshold()).isOne();
    }
    assertThat(count()).isEqualTo(60);
  }

  @Test
  void aStatementThatVanishedIsExplained() throws SQLException {
    Migrations.apply(database.dataSource());
    try (Connection connection = connect(database.port(), "?prepareThreshold=1")) {
      outbox.enqueue(connection, message("a"));
      commit(connection);
      try (Statement statement = connection.createStatement()) {
        statement.unwrap(PGStatement.class).setPrepareThreshold(0);
        // In a block, so that the driver does not hear of it.
        statement.execute("do 'begin execute ''deallocate all''; end'");
        commit(connection);

        assertThatThrownBy(() -> outbox.enqueue(connection, message("b")))
            .isInstanceOf(DataAccessException.class)
            .hasMessageContaining("prepareThreshold=0");
      }
    }
  }

  private static Message message(String key) {
    return Message.to("kafka:orders").key(key).type("t").text("hello");
  }

  private Connection connect(int port, String settings) throws SQLException {
    Connection connection =
        DriverManager.getConnection(database.jdbcUrl(port) + settings, database.user(), "");
    connection.setAutoCommit(false);
    return connection;
  }

  /** As text: the driver would name its own COMMIT. */
  private static void commit(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.unwrap(PGStatement.class).setPrepareThreshold(0);
      statement.execute("commit");
    }
  }

  private long count() throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select count(*) from twinbox.outbox")) {
      row.next();
      return row.getLong(1);
    }
  }
}
