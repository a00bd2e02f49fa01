package dev.twinbox.contract;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxTransaction;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** A migrated database with a table of effects, which shows an effect that happened twice. */
final class EffectDatabase {
  private final TestDatabase database;

  EffectDatabase(TestPostgres server) {
    database = server.createDatabase();
    Migrations.apply(database.dataSource());
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("create table effect (number bigserial, id text, key text)");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  Inbox.Builder inbox() {
    return Inbox.builder().dataSource(database.dataSource()).consumer("contract");
  }

  /** Writes a row of its own for the message. */
  static void effect(Delivery delivery, InboxTransaction work) throws SQLException {
    try (PreparedStatement insert =
        work.connection().prepareStatement("insert into effect (id, key) values (?, ?)")) {
      insert.setString(1, delivery.id());
      insert.setString(2, delivery.key());
      insert.executeUpdate();
    }
  }

  /** The ids of all effects in the order of writing. */
  List<String> effects() {
    return texts("select id from effect order by number");
  }

  List<String> effects(String key) {
    return texts("select id from effect where key = '" + key + "' order by number");
  }

  /** Reasons of what lies in quarantine, in order. */
  List<String> quarantined() {
    return texts("select reason from twinbox.inbox_dead_letter order by number");
  }

  /** How many messages have failed and are to be tried again. */
  int failing() {
    return texts("select message_id::text from twinbox.inbox_failure").size();
  }

  /** Whether the inbox has a message, with or without an effect. */
  boolean recorded(String id) {
    return !texts("select 1 from twinbox.inbox where message_id = '" + id + "'").isEmpty();
  }

  private List<String> texts(String query) {
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
}
