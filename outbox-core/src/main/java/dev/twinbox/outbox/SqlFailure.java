package dev.twinbox.outbox;

import dev.twinbox.postgres.SchemaName;
import java.sql.SQLException;
import org.jooq.exception.DataAccessException;

/** Says what the database refused, with its own words and the remedy. */
final class SqlFailure {
  private SqlFailure() {}

  /**
   * @param what did not happen, as a sentence without its full stop
   */
  static DataAccessException of(String what, SchemaName schema, SQLException e) {
    return new DataAccessException(
        what + ": " + text(e) + remedy(e.getSQLState() == null ? "" : e.getSQLState(), schema), e);
  }

  private static String text(SQLException e) {
    String message = e.getMessage() == null ? e.getClass().getName() : e.getMessage().strip();
    String state = e.getSQLState() == null ? "" : " (SQLSTATE " + e.getSQLState() + ")";
    return message + state + ".";
  }

  private static String remedy(String state, SchemaName schema) {
    return switch (state) {
      case "42P01", "42883", "3F000" ->
          (" Schema %s has no outbox, or one too old: call Migrations.apply(dataSource), or run"
                  + " bin/twinbox migrate; or name the right schema.")
              .formatted(schema.name());
      case "23514" ->
          " The number of lanes was changed while this REPEATABLE READ transaction ran: roll it back"
              + " and run it again.";
      case "26000", "42P05" -> UnnamedStatements.REMEDY;
      case "25006" ->
          " The transaction is read-only, by SET TRANSACTION READ ONLY or because the server is a"
              + " replica: enqueue in one that may write, on the primary.";
      case "25P02" ->
          " An earlier statement of this transaction failed, or a message was refused by the"
              + " database: roll back.";
      case "22021", "22P05" ->
          " A text of the message (key, type, header, dedup key) has a character that the database's"
              + " encoding does not have: leave it out or encode it, or use a database whose encoding"
              + " is UTF8.";
      case "42501" ->
          " The role lacks a privilege: call Migrations.grantProducer for it, or run bin/twinbox"
              + " grant --producer ROLE.";
      default -> "";
    };
  }
}
