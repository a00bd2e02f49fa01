package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/** The statements by which operators look. Holds no state. */
final class QuarantineReader {
  private final String from;
  private final String list;
  private final String show;
  private final String group;
  private final String progress;

  QuarantineReader(String schema) {
    from = SelectionSql.FROM.formatted(schema);
    String columns =
        """
        select d.number, c.consumer, d.message_id, d.id, d.source, d.origin, d.destination, d.key,
          d.type, d.content_type, d.message_time, d.expires_at, d.headers, %s,
          coalesce(octet_length(d.payload), 0), d.reason, d.error, d.attempts, d.dead_at,
          d.discarded_at, d.discarded_by, d.redrive
        from""";
    list = columns.formatted("null::bytea") + " " + from;
    show = columns.formatted("d.payload") + " " + from + " where d.number = ?";
    group =
        "select c.consumer, d.reason, %s, count(*), min(d.dead_at), max(d.dead_at) from %s"
            .formatted(SelectionSql.ERROR_KIND, from);
    progress =
        """
        select r.number, c.consumer, r.requested_by, r.requested_at, r.per_second, r.selected,
          r.processed, r.duplicates, r.failed, r.finished_at
        from %1$s.inbox_redrive r join %1$s.inbox_consumer c using (consumer_id)
        where r.number = ?"""
            .formatted(schema);
  }

  List<QuarantinedMessage> list(
      Connection connection, QuarantineSelection selection, SelectionState state)
      throws SQLException {
    SelectionSql where = new SelectionSql(selection, state.condition());
    String sql = list + where.text() + " order by d.number" + where.limit(selection.limit());
    List<QuarantinedMessage> found = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      where.bind(statement, 1);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          found.add(message(rows));
        }
      }
    }
    return found;
  }

  Optional<QuarantinedMessage> show(Connection connection, long number) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(show)) {
      statement.setLong(1, number);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? Optional.of(message(row)) : Optional.empty();
      }
    }
  }

  List<QuarantineCause> group(Connection connection, QuarantineSelection selection)
      throws SQLException {
    SelectionSql where = new SelectionSql(selection, SelectionState.KEPT.condition());
    String sql = group + where.text() + " group by 1, 2, 3 order by 4 desc, 1, 2, 3";
    List<QuarantineCause> causes = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(sql + where.limit(selection.limit()))) {
      where.bind(statement, 1);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          causes.add(
              new QuarantineCause(
                  rows.getString(1),
                  rows.getString(2),
                  rows.getString(3),
                  rows.getLong(4),
                  time(rows, 5),
                  time(rows, 6)));
        }
      }
    }
    return causes;
  }

  long count(Connection connection, QuarantineSelection selection, SelectionState state)
      throws SQLException {
    SelectionSql where = new SelectionSql(selection, state.condition());
    String sql =
        "select count(*) from (select from %s%s%s) counted"
            .formatted(from, where.text(), where.limit(selection.limit()));
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      where.bind(statement, 1);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  Optional<Redrive> progress(Connection connection, long number) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(progress)) {
      statement.setLong(1, number);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? Optional.of(
                new Redrive(
                    row.getLong(1),
                    row.getString(2),
                    row.getString(3),
                    time(row, 4),
                    row.getDouble(5),
                    row.getLong(6),
                    row.getLong(7),
                    row.getLong(8),
                    row.getLong(9),
                    RedriveStore.instant(row, 10)))
            : Optional.empty();
      }
    }
  }

  private static QuarantinedMessage message(ResultSet row) throws SQLException {
    long redrive = row.getLong(22);
    boolean waits = !row.wasNull();
    StoredTexts texts = StoredTexts.of(row, 13);
    return new QuarantinedMessage(
        row.getLong(1),
        row.getString(2),
        row.getObject(3, UUID.class),
        texts.get(4),
        texts.get(5),
        String.valueOf(texts.get(6)),
        texts.get(7),
        texts.get(8),
        texts.get(9),
        texts.get(10),
        RedriveStore.instant(row, 11),
        RedriveStore.instant(row, 12),
        texts.headers(),
        row.getBytes(14),
        row.getLong(15),
        row.getString(16),
        row.getString(17),
        row.getInt(18),
        time(row, 19),
        RedriveStore.instant(row, 20),
        row.getString(21),
        waits ? redrive : null);
  }

  private static Instant time(ResultSet row, int column) throws SQLException {
    return Objects.requireNonNull(RedriveStore.instant(row, column));
  }
}
