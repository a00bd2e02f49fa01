package dev.twinbox.outbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** The hot path: one message, due now, that never expires and has no dedup key. */
final class SingleInsert {
  private final OutboxSql sql;

  SingleInsert(OutboxSql sql) {
    this.sql = sql;
  }

  /** False when its broker has no lanes. */
  boolean insert(Connection connection, OutboxRow row) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(sql.insertOne)) {
      Message message = row.message();
      insert.setInt(1, row.hash());
      insert.setObject(2, row.id());
      insert.setString(3, message.destination().toString());
      insert.setString(4, message.key());
      insert.setString(5, message.type());
      insert.setString(6, row.contentType());
      insert.setString(7, row.headerLines());
      insert.setBytes(8, row.payload());
      insert.setString(9, row.broker());
      return insert.executeUpdate() == 1;
    }
  }
}
