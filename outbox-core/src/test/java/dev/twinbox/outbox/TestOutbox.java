package dev.twinbox.outbox;

import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A migrated database with an {@code orders} table, an outbox on it, and what is in there. */
final class TestOutbox {
  private final TestDatabase database;
  private final DataSource dataSource;

  TestOutbox() {
    this(TestPostgres.shared().createDatabase());
  }

  TestOutbox(TestDatabase database) {
    this.database = database;
    this.dataSource = database.dataSource();
    Migrations.apply(dataSource);
    run("create table orders (id text primary key)");
  }

  DataSource dataSource() {
    return dataSource;
  }

  TestDatabase database() {
    return database;
  }

  /** A connection in a transaction. */
  Connection begin() throws SQLException {
    Connection connection = dataSource.getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  void run(String... statements) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  static void order(Connection connection, String id) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement("insert into orders values (?)")) {
      insert.setString(1, id);
      insert.executeUpdate();
    }
  }

  /** The keys in the outbox, by position. */
  List<String> keys() {
    return list("select key from twinbox.outbox order by position");
  }

  List<String> orders() {
    return list("select id from orders order by id");
  }

  /** The first column, as text. */
  List<String> list(String query) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      List<String> values = new ArrayList<>();
      while (result.next()) {
        values.add(String.valueOf(result.getString(1)));
      }
      return values;
    } catch (SQLException e) {
      throw new IllegalStateException(query, e);
    }
  }

  String one(String query) {
    List<String> values = list(query);
    if (values.size() != 1) {
      throw new IllegalStateException(query + " gives " + values);
    }
    return values.get(0);
  }

  /** Every row of a table of messages, by the given column. */
  List<Stored> stored(String table, String order) {
    String query =
        "select id, destination, key, type, content_type, headers, payload from twinbox.%s order by %s"
            .formatted(table, order);
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(query)) {
      List<Stored> rows = new ArrayList<>();
      while (result.next()) {
        rows.add(
            new Stored(
                result.getObject(1, UUID.class),
                result.getString(2),
                result.getString(3),
                result.getString(4),
                result.getString(5),
                Arrays.asList((String[]) result.getArray(6).getArray()),
                result.getBytes(7)));
      }
      return rows;
    } catch (SQLException e) {
      throw new IllegalStateException(query, e);
    }
  }

  /** A message as a relay would read it. */
  @SuppressWarnings("ArrayRecordComponent")
  record Stored(
      UUID id,
      String destination,
      @Nullable String key,
      String type,
      @Nullable String contentType,
      List<String> headers,
      byte @Nullable [] payload) {}
}
