package dev.twinbox.benchmarks.peers;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.sides.Business;
import dev.twinbox.benchmarks.sides.KafkaOut;
import dev.twinbox.benchmarks.sides.Pools;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import dev.twinbox.broker.OutboxRecord;
import io.debezium.embedded.Connect;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.DebeziumEngine.RecordCommitter;
import io.debezium.engine.RecordChangeEvent;
import io.debezium.engine.format.ChangeEventFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.source.SourceRecord;
import org.jspecify.annotations.Nullable;

/**
 * Debezium's PostgreSQL connector in its embedded engine, reading an insert-only outbox table from
 * the log: batches of 8,192, all of a batch sent before the first answer is waited for, no
 * serialization to JSON.
 */
public final class DebeziumSide implements Side {
  private static final String TABLE =
      """
      create table if not exists bench.debezium (
        id uuid primary key, created_at timestamptz not null default clock_timestamp(),
        destination text not null, key text, type text not null, content_type text,
        source text not null, payload bytea);
      drop publication if exists bench_debezium;
      create publication bench_debezium for table bench.debezium
      """;

  private final Place place;
  private final HikariDataSource pool;
  private final KafkaOut kafka;
  private final String destination;

  /** Slots belong to the whole server, so each database has one of its own name. */
  private final String slot;

  private @Nullable DebeziumEngine<?> engine;
  private @Nullable ExecutorService thread;

  /** Publishes to the place's Kafka. */
  public DebeziumSide(Place place, Confirms confirms) throws SQLException {
    this.place = place;
    pool = Pools.open(place, 14);
    kafka = new KafkaOut(place, confirms);
    destination = place.get("destination");
    String address = place.get("jdbc");
    slot = "bench_" + address.substring(address.lastIndexOf('_') + 1);
    execute(TABLE);
    renewSlot();
  }

  /** The slot is made anew, so that it holds this backlog and nothing else. */
  @Override
  public void fill(int messages) throws SQLException {
    execute("truncate bench.debezium");
    renewSlot();
    execute(
        """
        insert into bench.debezium
        select uuidv7(), created_at, destination, key, type, content_type, headers[2], payload
        from bench.source where n <= %s order by n
        """
            .formatted(messages));
    execute("checkpoint");
  }

  @Override
  public void start() {
    DebeziumEngine<RecordChangeEvent<SourceRecord>> starting =
        DebeziumEngine.create(ChangeEventFormat.of(Connect.class))
            .using(settings())
            .notifying(this::publish)
            .build();
    ExecutorService runner = Executors.newSingleThreadExecutor();
    runner.execute(starting);
    engine = starting;
    thread = runner;
  }

  @Override
  public void stop() throws IOException, InterruptedException {
    DebeziumEngine<?> running = engine;
    ExecutorService runner = thread;
    if (running != null && runner != null) {
      running.close();
      runner.shutdown();
      if (!runner.awaitTermination(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException("Debezium's engine did not stop within 60 s.");
      }
      engine = null;
    }
  }

  @Override
  public void transact(String key, byte[] payload) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      Business.insert(connection, key);
      try (PreparedStatement insert =
          connection.prepareStatement(
              "insert into bench.debezium (id, destination, key, type, content_type, source,"
                  + " payload) values (?, ?, ?, 'order.placed', 'text/plain', '/bench', ?)")) {
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
  public void close() throws Exception {
    stop();
    kafka.close();
    pool.close();
  }

  private void publish(
      List<RecordChangeEvent<SourceRecord>> batch,
      RecordCommitter<RecordChangeEvent<SourceRecord>> committer)
      throws InterruptedException {
    List<CompletableFuture<Void>> sent = new ArrayList<>(batch.size());
    for (RecordChangeEvent<SourceRecord> event : batch) {
      if (event.record().value() instanceof Struct change && change.getStruct("after") != null) {
        sent.add(kafka.send(record(change.getStruct("after"))));
      }
    }
    CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).join();
    for (RecordChangeEvent<SourceRecord> event : batch) {
      committer.markProcessed(event);
    }
    committer.markBatchFinished();
  }

  private static OutboxRecord record(Struct row) {
    return new OutboxRecord(
        0,
        0,
        UUID.fromString(row.getString("id")),
        Instant.parse(row.getString("created_at")),
        null,
        row.getString("destination"),
        row.getString("key"),
        row.getString("type"),
        row.getString("content_type"),
        List.of(new OutboxRecord.Header("ce_source", row.getString("source"))),
        bytes(row.getBytes("payload"), row));
  }

  private static byte[] bytes(byte @Nullable [] plain, Struct row) {
    if (plain != null) {
      return plain;
    }
    ByteBuffer buffer = (ByteBuffer) row.get("payload");
    byte[] copy = new byte[buffer.remaining()];
    buffer.get(copy);
    return copy;
  }

  private Properties settings() {
    Properties settings = new Properties();
    settings.put("name", "bench");
    settings.put("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
    settings.put("offset.storage", "org.apache.kafka.connect.storage.MemoryOffsetBackingStore");
    settings.put("offset.flush.interval.ms", "1000");
    settings.put("topic.prefix", "bench");
    settings.put("database.hostname", "127.0.0.1");
    String address = place.get("jdbc");
    String port = address.replaceAll(".*:(\\d+)/.*", "$1");
    settings.put("database.port", port);
    settings.put("database.user", "postgres");
    settings.put("database.password", "none");
    settings.put("database.dbname", address.substring(address.lastIndexOf('/') + 1));
    settings.put("plugin.name", "pgoutput");
    settings.put("slot.name", slot);
    settings.put("slot.drop.on.stop", "false");
    settings.put("publication.name", "bench_debezium");
    settings.put("publication.autocreate.mode", "disabled");
    settings.put("table.include.list", "bench.debezium");
    settings.put("snapshot.mode", "no_data");
    settings.put("tombstones.on.delete", "false");
    settings.put("max.batch.size", "8192");
    settings.put("max.queue.size", "32768");
    settings.put("poll.interval.ms", "5");
    return settings;
  }

  private void renewSlot() throws SQLException {
    execute(
        """
        select pg_drop_replication_slot(slot_name) from pg_replication_slots
        where slot_name = '%s'
        """
            .formatted(slot));
    execute("select pg_create_logical_replication_slot('%s', 'pgoutput')".formatted(slot));
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
