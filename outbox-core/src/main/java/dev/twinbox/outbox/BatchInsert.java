package dev.twinbox.outbox;

import dev.twinbox.postgres.CallersTransaction;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Many messages in one statement, or one that needs the database's clock or a dedup key. */
final class BatchInsert {
  /** Above this many bytes a batch goes in several statements, to bound the driver's memory. */
  static final int BYTES_PER_STATEMENT = 16 * 1024 * 1024;

  private final OutboxSql sql;

  BatchInsert(OutboxSql sql) {
    this.sql = sql;
  }

  /**
   * Takes the locks of ordered messages, sorted so that two batches never wait for each other in a
   * circle. A statement of its own: positions must be drawn after the locks are held.
   */
  void lockKeys(Connection connection, List<OutboxRow> rows) throws SQLException {
    Long[] locks =
        rows.stream()
            .filter(row -> row.message().isOrdered())
            .map(row -> KeyLock.of(row.broker(), key(row)))
            .distinct()
            .sorted()
            .toArray(Long[]::new);
    if (locks.length == 0) {
      return;
    }
    try (PreparedStatement lock = connection.prepareStatement(sql.lockKeys)) {
      lock.setArray(1, connection.createArrayOf("bigint", locks));
      try (ResultSet result = lock.executeQuery()) {
        if (result.next() && result.getBoolean(2)) {
          throw CallersTransaction.readOnlyByServer();
        }
      }
    }
  }

  /**
   * Stores all of them or none.
   *
   * @throws NoLanesException when one of their brokers has no lanes; nothing is stored then
   */
  List<Enqueued> insert(Connection connection, List<OutboxRow> rows) throws SQLException {
    Set<String> names = new LinkedHashSet<>();
    rows.forEach(row -> names.add(row.broker()));
    String[] brokers = names.toArray(String[]::new);

    Claims claims = claimDedupKeys(connection, rows, brokers);
    List<Enqueued> results = new ArrayList<>(rows.size());
    List<OutboxRow> wanted = new ArrayList<>(rows.size());
    for (OutboxRow row : rows) {
      String dedupKey = row.message().dedupKey();
      // Taken out: the second message of a key in this batch is a duplicate of the first.
      if (dedupKey == null || claims.ours.remove(dedupKey)) {
        results.add(new Enqueued(row.id(), false));
        wanted.add(row);
      } else {
        results.add(new Enqueued(claims.owners.getOrDefault(dedupKey, row.id()), true));
      }
    }
    for (List<OutboxRow> part : parts(wanted)) {
      insertPart(connection, part, brokers);
    }
    return List.copyOf(results);
  }

  /** Whose message each dedup key belongs to by now, and which keys this batch was first with. */
  private record Claims(Map<String, UUID> owners, Set<String> ours) {}

  private Claims claimDedupKeys(Connection connection, List<OutboxRow> rows, String[] brokers)
      throws SQLException {
    // Sorted: two transactions that claim the same keys wait for each other one way only.
    Map<String, UUID> unsettled = new TreeMap<>();
    for (OutboxRow row : rows) {
      String dedupKey = row.message().dedupKey();
      if (dedupKey != null) {
        unsettled.putIfAbsent(dedupKey, row.id());
      }
    }
    Claims claims = new Claims(new HashMap<>(unsettled), new HashSet<>());
    // More than one round only when retention deletes a key between the two statements.
    while (!unsettled.isEmpty()) {
      List<String> claimed = claim(connection, unsettled, brokers);
      if (claimed.isEmpty()) {
        refuseMissing(connection, brokers);
      }
      claims.ours.addAll(claimed);
      claimed.forEach(unsettled::remove);
      if (!unsettled.isEmpty()) {
        Map<String, UUID> found = find(connection, unsettled);
        claims.owners.putAll(found);
        unsettled.keySet().removeAll(found.keySet());
      }
    }
    return claims;
  }

  private List<String> claim(Connection connection, Map<String, UUID> unsettled, String[] brokers)
      throws SQLException {
    try (PreparedStatement claim = connection.prepareStatement(sql.claimDedupKeys)) {
      claim.setArray(1, text(connection, unsettled.keySet().toArray(String[]::new)));
      claim.setArray(2, connection.createArrayOf("uuid", unsettled.values().toArray(UUID[]::new)));
      claim.setArray(3, text(connection, brokers));
      claim.setInt(4, brokers.length);
      List<String> claimed = new ArrayList<>();
      try (ResultSet result = claim.executeQuery()) {
        while (result.next()) {
          claimed.add(result.getString(1));
        }
      }
      return claimed;
    }
  }

  private Map<String, UUID> find(Connection connection, Map<String, UUID> unsettled)
      throws SQLException {
    try (PreparedStatement find = connection.prepareStatement(sql.findDedupKeys)) {
      find.setArray(1, text(connection, unsettled.keySet().toArray(String[]::new)));
      Map<String, UUID> found = new HashMap<>();
      try (ResultSet result = find.executeQuery()) {
        while (result.next()) {
          found.put(result.getString(1), result.getObject(2, UUID.class));
        }
      }
      return found;
    }
  }

  private static List<List<OutboxRow>> parts(List<OutboxRow> rows) {
    List<List<OutboxRow>> parts = new ArrayList<>();
    int from = 0;
    long bytes = 0;
    for (int i = 0; i < rows.size(); i++) {
      bytes += rows.get(i).size();
      if (bytes > BYTES_PER_STATEMENT && i > from) {
        parts.add(rows.subList(from, i));
        from = i;
        bytes = rows.get(i).size();
      }
    }
    if (from < rows.size()) {
      parts.add(rows.subList(from, rows.size()));
    }
    return parts;
  }

  private void insertPart(Connection connection, List<OutboxRow> rows, String[] brokers)
      throws SQLException {
    // One with a time takes its whole part through the longer statement, which keeps the order of
    // those that are due.
    boolean timed = rows.stream().anyMatch(OutboxRow::isTimed);
    // Of several brokers one may be unknown, which only the longer statements look for.
    boolean alike = !timed && brokers.length == 1 && rows.stream().allMatch(rows.get(0)::isLike);
    long stored =
        alike ? insertAlike(connection, rows) : insertEach(connection, rows, brokers, timed);
    if (stored != rows.size()) {
      refuseMissing(connection, brokers);
      throw new IllegalStateException(
          "%s of %s messages were stored; roll the transaction back."
              .formatted(stored, rows.size()));
    }
  }

  private long insertAlike(Connection connection, List<OutboxRow> rows) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(sql.insertAlike)) {
      int size = rows.size();
      OutboxRow first = rows.get(0);
      Parameters parameters = new Parameters(connection, insert, rows);
      parameters.add(first.message().destination().toString());
      parameters.add(first.message().type());
      parameters.add(first.contentType());
      parameters.add("int4", new Integer[size], OutboxRow::hash);
      parameters.add("uuid", new UUID[size], OutboxRow::id);
      parameters.add("text", new String[size], row -> row.message().key());
      parameters.add("bytea", new byte[size][], OutboxRow::payload);
      parameters.add(first.headerLines());
      parameters.add(first.broker());
      return insert.executeUpdate();
    }
  }

  private long insertEach(
      Connection connection, List<OutboxRow> rows, String[] brokers, boolean timed)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(timed ? sql.insertTimed : sql.insertMany)) {
      int size = rows.size();
      Parameters parameters = new Parameters(connection, insert, rows);
      parameters.add("text", new String[size], OutboxRow::broker);
      parameters.add("int4", new Integer[size], OutboxRow::hash);
      parameters.add("uuid", new UUID[size], OutboxRow::id);
      parameters.add("text", new String[size], row -> row.message().destination().toString());
      parameters.add("text", new String[size], row -> row.message().key());
      parameters.add("text", new String[size], row -> row.message().type());
      parameters.add("text", new String[size], OutboxRow::contentType);
      parameters.add("text", new String[size], OutboxRow::headerLines);
      parameters.add("bytea", new byte[size][], OutboxRow::payload);
      if (timed) {
        parameters.add("text", new String[size], row -> text(row.message().deliverAt()));
        parameters.add("int8", new Long[size], row -> Times.micros(row.message().delay()));
        parameters.add("text", new String[size], row -> text(row.message().expiresAt()));
        parameters.add("int8", new Long[size], row -> Times.micros(row.message().ttl()));
      }
      insert.setArray(++parameters.index, text(connection, brokers));
      insert.setInt(++parameters.index, brokers.length);
      return timed ? count(insert) : insert.executeUpdate();
    }
  }

  private void refuseMissing(Connection connection, String[] brokers) throws SQLException {
    List<String> missing = new ArrayList<>();
    try (PreparedStatement query = connection.prepareStatement(sql.missingBrokers)) {
      query.setArray(1, text(connection, brokers));
      try (ResultSet result = query.executeQuery()) {
        while (result.next()) {
          missing.add(result.getString(1));
        }
      }
    }
    if (!missing.isEmpty()) {
      throw new NoLanesException(missing, sql.schema);
    }
  }

  private static long count(PreparedStatement query) throws SQLException {
    try (ResultSet result = query.executeQuery()) {
      result.next();
      return result.getLong(1);
    }
  }

  private static Array text(Connection connection, String[] values) throws SQLException {
    return connection.createArrayOf("text", values);
  }

  private static @Nullable String text(@Nullable Instant instant) {
    return instant == null ? null : instant.toString();
  }

  private static String key(OutboxRow row) {
    String key = row.message().key();
    if (key == null) {
      throw new IllegalStateException("An ordered message without key got past its check.");
    }
    return key;
  }

  /** Binds one array a column, or one value for all rows. */
  private static final class Parameters {
    private final Connection connection;
    private final PreparedStatement statement;
    private final List<OutboxRow> rows;
    private int index;

    Parameters(Connection connection, PreparedStatement statement, List<OutboxRow> rows) {
      this.connection = connection;
      this.statement = statement;
      this.rows = rows;
    }

    void add(@Nullable String value) throws SQLException {
      statement.setString(++index, value);
    }

    <T> void add(String type, @Nullable T[] values, Function<OutboxRow, @Nullable T> column)
        throws SQLException {
      for (int i = 0; i < values.length; i++) {
        values[i] = column.apply(rows.get(i));
      }
      statement.setArray(++index, connection.createArrayOf(type, values));
    }
  }
}
