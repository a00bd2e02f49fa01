package dev.twinbox.benchmarks.sides;

import dev.twinbox.benchmarks.worker.SampleTexts;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.outbox.LaneHash;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The messages from which every side fills its own tables, so that all store and send the same
 * bytes: {@code bench.source}, a heap without an index, and the application's own table {@code
 * bench.business}.
 */
public final class Source {
  /** The columns of a message, as {@link #record} reads them. */
  public static final String COLUMNS =
      "id, created_at, destination, key, type, content_type, headers, payload";

  private static final int DISTINCT_PAYLOADS = 500;

  private Source() {}

  /**
   * Makes the tables anew.
   *
   * @param messages how many
   * @param keys how many different keys, in turn; 0 for messages without a key
   * @param bytes of each payload
   * @param destination of each message
   */
  public static void create(
      Connection connection, int messages, int keys, int bytes, String destination)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create schema if not exists bench;
          drop table if exists bench.source, bench.payload, bench.key;
          create table if not exists bench.business (
            id bigint generated always as identity primary key,
            customer text not null, cents bigint not null, note text not null);
          create table bench.payload (n integer, body bytea);
          create table bench.key (n integer, key text, hash integer);
          create table bench.source (
            n bigint, id uuid, created_at timestamptz, hash integer, destination text, key text,
            type text, content_type text, headers text[], payload bytea)
          """);
    }
    byte[][] payloads =
        IntStream.range(0, DISTINCT_PAYLOADS)
            .mapToObj(n -> SampleTexts.payload(n, bytes))
            .toArray(byte[][]::new);
    insert(
        connection,
        "insert into bench.payload select n - 1, body from unnest(?::bytea[]) with ordinality"
            + " p (body, n)",
        "bytea",
        payloads);
    if (keys > 0) {
      insert(
          connection,
          "insert into bench.key (n, key) select n - 1, key from unnest(?::text[]) with ordinality"
              + " k (key, n)",
          "text",
          IntStream.range(0, keys).mapToObj(SampleTexts::key).toArray(String[]::new));
      hash(connection, keys);
    }
    try (PreparedStatement fill =
        connection.prepareStatement(
            """
            insert into bench.source
            select g.n, uuidv7(), clock_timestamp(), coalesce(k.hash, g.n), ?, k.key, 'order.placed',
              'text/plain', array['ce_source', '/bench'], p.body
            from generate_series(1, ?) g (n)
            join bench.payload p on p.n = g.n % ?
            left join bench.key k on k.n = g.n % greatest(?, 1)
            order by 1
            """)) {
      fill.setString(1, destination);
      fill.setInt(2, messages);
      fill.setInt(3, DISTINCT_PAYLOADS);
      fill.setInt(4, keys);
      fill.executeUpdate();
    }
    settle(connection, "bench.source");
  }

  /**
   * Sets hint bits and statistics and writes the buffers out, so that no side pays for it while it
   * is measured.
   */
  public static void settle(Connection connection, String table) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("vacuum (analyze) " + table);
      statement.execute("checkpoint");
    }
  }

  /** The message of the row a result set is at. */
  public static OutboxRecord record(ResultSet row, long position) throws SQLException {
    return new OutboxRecord(
        0,
        position,
        row.getObject("id", UUID.class),
        row.getObject("created_at", OffsetDateTime.class).toInstant(),
        null,
        row.getString("destination"),
        row.getString("key"),
        row.getString("type"),
        row.getString("content_type"),
        headers((String[]) row.getArray("headers").getArray()),
        row.getBytes("payload"));
  }

  private static List<OutboxRecord.Header> headers(@Nullable String... flat) {
    List<String> words = Arrays.stream(flat).map(String::valueOf).toList();
    List<OutboxRecord.Header> headers = new ArrayList<>(words.size() / 2);
    for (int i = 0; i + 1 < words.size(); i += 2) {
      headers.add(new OutboxRecord.Header(words.get(i), words.get(i + 1)));
    }
    return headers;
  }

  private static void hash(Connection connection, int keys) throws SQLException {
    Integer[] hashes =
        IntStream.range(0, keys)
            .mapToObj(n -> LaneHash.of(SampleTexts.key(n)))
            .toArray(Integer[]::new);
    insert(
        connection,
        "update bench.key k set hash = h.hash from unnest(?::int[]) with ordinality h (hash, n)"
            + " where k.n = h.n - 1",
        "int4",
        hashes);
  }

  private static void insert(Connection connection, String sql, String type, Object... values)
      throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setArray(1, connection.createArrayOf(type, values));
      insert.executeUpdate();
    }
  }
}
