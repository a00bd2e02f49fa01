package dev.twinbox.benchmarks.sides;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import dev.twinbox.broker.OutboxRecord;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The relay that most teams write: pages of 1,000 by FOR UPDATE SKIP LOCKED, all of a page sent
 * before the first answer is waited for, then deleted, or marked as sent, in the same transaction.
 */
public final class SkipLockedSide implements Side {
  private static final int PAGE = 1_000;
  private static final int IDLE_MILLIS = 5;

  private final HikariDataSource pool;
  private final KafkaOut kafka;
  private final boolean deletes;
  private final String destination;
  private final LoopThread loop = new LoopThread();

  /** With {@code deletes=false} among the place's values it marks rows instead. */
  public SkipLockedSide(Place place, Confirms confirms) throws SQLException {
    pool = Pools.open(place, 14);
    kafka = new KafkaOut(place, confirms);
    deletes = Boolean.parseBoolean(place.get("deletes", "true"));
    destination = place.get("destination");
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          drop table if exists bench.skip_locked;
          create table bench.skip_locked (
            position bigint generated always as identity primary key,
            id uuid not null, created_at timestamptz not null default clock_timestamp(),
            destination text not null, key text, type text not null, content_type text,
            headers text[], payload bytea, sent boolean not null default false)
          """);
      if (!deletes) {
        statement.execute(
            "create index skip_locked_unsent on bench.skip_locked (position) where not sent");
      }
    }
  }

  @Override
  public void fill(int messages) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("truncate bench.skip_locked");
        statement.execute(
            "insert into bench.skip_locked (%s) select %s from bench.source where n <= %s order by n"
                .formatted(Source.COLUMNS, Source.COLUMNS, messages));
      }
      Source.settle(connection, "bench.skip_locked");
    }
  }

  @Override
  public void start() {
    loop.start(this::run);
  }

  @Override
  public void stop() throws Exception {
    loop.stop();
  }

  @Override
  public void transact(String key, byte[] payload) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      Business.insert(connection, key);
      try (PreparedStatement insert =
          connection.prepareStatement(
              "insert into bench.skip_locked (id, destination, key, type, content_type, headers,"
                  + " payload) values (?, ?, ?, 'order.placed', 'text/plain',"
                  + " array['ce_source', '/bench'], ?)")) {
        insert.setObject(1, UUID.randomUUID());
        insert.setString(2, destination);
        insert.setString(3, key);
        insert.setBytes(4, payload);
        insert.executeUpdate();
      }
      connection.commit();
      connection.setAutoCommit(true);
    }
  }

  @Override
  public void close() {
    kafka.close();
    pool.close();
  }

  private void run() throws Exception {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      while (!loop.isStopped()) {
        if (page(connection) == 0) {
          TimeUnit.MILLISECONDS.sleep(IDLE_MILLIS);
        }
      }
      connection.setAutoCommit(true);
    }
  }

  private int page(Connection connection) throws Exception {
    List<Long> positions = new ArrayList<>(PAGE);
    List<CompletableFuture<Void>> sent = new ArrayList<>(PAGE);
    try (PreparedStatement select =
        connection.prepareStatement(
            "select position, %s from bench.skip_locked %s order by position limit %s for update skip locked"
                .formatted(Source.COLUMNS, deletes ? "" : "where not sent", PAGE))) {
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          OutboxRecord record = Source.record(rows, rows.getLong("position"));
          positions.add(record.position());
          sent.add(kafka.send(record));
        }
      }
    }
    CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).get();
    if (!positions.isEmpty()) {
      try (PreparedStatement done =
          connection.prepareStatement(
              deletes
                  ? "delete from bench.skip_locked where position = any (?)"
                  : "update bench.skip_locked set sent = true where position = any (?)")) {
        done.setArray(1, connection.createArrayOf("bigint", positions.toArray()));
        done.executeUpdate();
      }
    }
    connection.commit();
    return positions.size();
  }
}
