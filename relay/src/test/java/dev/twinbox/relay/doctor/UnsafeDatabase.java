package dev.twinbox.relay.doctor;

import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.inbox.doctor.InboxSide;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.postgres.Tables;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A migrated database of one case. */
record UnsafeDatabase(TestDatabase database) {
  static final Tables TABLES = Tables.in("twinbox");

  static UnsafeDatabase on(TestPostgres server) {
    UnsafeDatabase made = new UnsafeDatabase(server.createDatabase());
    Migrations.apply(made.database.dataSource());
    return made;
  }

  static UnsafeDatabase in(String encoding) {
    UnsafeDatabase made = new UnsafeDatabase(TestPostgres.shared().createDatabase(encoding));
    Migrations.apply(made.database.dataSource());
    return made;
  }

  static UnsafeDatabase with(String... changes) {
    UnsafeDatabase made = on(TestPostgres.shared());
    for (String change : changes) {
      made.execute(change);
    }
    return made;
  }

  DataSource dataSource() {
    return database.dataSource();
  }

  /** New connections of a role without any rights. */
  DataSource newRole() {
    String role = "role_" + UUID.randomUUID().toString().replace("-", "");
    execute("create role " + role + " login");
    return database.dataSource(role);
  }

  DataSource relay() {
    String role = "relay_" + UUID.randomUUID().toString().replace("-", "");
    execute("create role " + role + " login");
    execute("grant pg_read_all_stats to " + role);
    Migrations.defaults().grantRelay(dataSource(), role);
    return database.dataSource(role);
  }

  DataSource consumer() {
    String role = "consumer_" + UUID.randomUUID().toString().replace("-", "");
    execute("create role " + role + " login");
    execute("grant pg_read_all_stats to " + role);
    Migrations.defaults().grantConsumer(dataSource(), role);
    return database.dataSource(role);
  }

  /** A message that waits. */
  UnsafeDatabase waiting(String destination, @Nullable String key) {
    execute(
        "insert into twinbox.outbox (lane, id, destination, key, type) values (0,"
            + " gen_random_uuid(), '%s', %s, 'test')"
                .formatted(destination, key == null ? "null" : "'" + key + "'"));
    return this;
  }

  Diagnosis outbox() {
    return new Doctor().outbox(dataSource(), TABLES).examine(List.of());
  }

  Diagnosis inbox() {
    return inbox(new Doctor(), dataSource()).examine(List.of());
  }

  /** As the command {@code doctor --inbox} does. */
  static Doctor inbox(Doctor doctor, DataSource dataSource) {
    InboxSide side = InboxSide.examine(dataSource, TABLES.quotedSchema());
    side.findings().forEach(doctor::found);
    side.horizon().ifPresent(doctor::horizon);
    return doctor;
  }

  void execute(String sql) {
    try (Connection connection = dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  String text(String sql) {
    try (Connection connection = dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getString(1);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }
}
