package dev.twinbox.inbox;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** A migrated database with a table of effects, which shows an effect that happened twice. */
public final class InboxDatabase implements AutoCloseable {
  private final TestDatabase database;
  private final HikariDataSource pool;

  private InboxDatabase(TestPostgres server) {
    database = server.createDatabase();
    Migrations.apply(database.dataSource());
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.jdbcUrl());
    config.setUsername(database.user());
    config.setMaximumPoolSize(12);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(2_000);
    config.setInitializationFailTimeout(-1);
    pool = new HikariDataSource(config);
    execute("create table effect (number bigserial, id text, by_whom text)");
  }

  public static InboxDatabase create() {
    return new InboxDatabase(TestPostgres.shared());
  }

  public static InboxDatabase on(TestPostgres server) {
    return new InboxDatabase(server);
  }

  public DataSource dataSource() {
    return pool;
  }

  /** New connections of the given role, unpooled. */
  public DataSource dataSource(String role) {
    return database.dataSource(role);
  }

  /** A proxy to the server, which the caller closes. */
  public FaultProxy proxy() {
    return FaultProxy.to("127.0.0.1", database.port());
  }

  /** New connections by way of the proxy, unpooled. */
  public DataSource through(FaultProxy proxy) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setURL(database.jdbcUrl(proxy.port()));
    dataSource.setUser(database.user());
    return dataSource;
  }

  public String jdbcUrl() {
    return database.jdbcUrl();
  }

  public String name() {
    return database.name();
  }

  public int port() {
    return database.port();
  }

  public String user() {
    return database.user();
  }

  public Inbox.Builder inbox(String consumer) {
    return Inbox.builder().dataSource(pool).consumer(consumer);
  }

  /** Writes a row of its own for the message. */
  public static void effect(Delivery delivery, InboxTransaction work) throws SQLException {
    effect(delivery.id(), "handler", work.connection());
  }

  public static void effect(@Nullable String id, String who, Connection to) throws SQLException {
    try (PreparedStatement insert =
        to.prepareStatement("insert into effect (id, by_whom) values (?, ?)")) {
      insert.setString(1, id);
      insert.setString(2, who);
      insert.executeUpdate();
    }
  }

  /** The ids of all effects in the order of writing. */
  public List<String> effects() {
    return texts("select id from effect order by number");
  }

  public long count(String query) {
    return Long.parseLong(texts(query).get(0));
  }

  /** Reasons of what lies in quarantine, in order. */
  public List<String> quarantined() {
    return texts("select reason from twinbox.inbox_dead_letter order by number");
  }

  public List<String> texts(String query) {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      List<String> texts = new ArrayList<>();
      while (rows.next()) {
        texts.add(String.valueOf(rows.getString(1)));
      }
      return texts;
    } catch (SQLException e) {
      throw new IllegalStateException(query, e);
    }
  }

  public void execute(String sql) {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}
