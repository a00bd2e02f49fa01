package dev.twinbox.benchmarks.sides;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import dev.twinbox.broker.Broker;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.RelayBuilder;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Twinbox as it comes: default settings, four lanes. With {@code wakes=true} the relay hears of
 * commits in its process; without, it polls.
 */
public final class RelaySide implements Side {
  private static final int RELAY_CONNECTIONS = 8;
  private static final int WRITERS = 14;
  private static final String FILL =
      """
      insert into twinbox.outbox (lane, id, created_at, destination, key, type, content_type,
        headers, payload)
      select b.first_lane + s.hash %% b.lanes, s.id, s.created_at, s.destination, s.key,
        s.type, s.content_type, s.headers, s.payload
      from bench.source s
      join twinbox.outbox_broker b on b.broker = split_part(s.destination, ':', 1)
      where s.n <= %s order by s.n
      """;

  private final Place place;
  private final Confirms confirms;
  private final HikariDataSource relayPool;
  private final HikariDataSource pool;
  private final boolean wakes;
  private final String destination;
  private final Outbox outbox = Outbox.builder().source("/bench").build();
  private @Nullable Relay relay;

  /** Relays to the broker that the place names. */
  public RelaySide(Place place, Confirms confirms) {
    this.place = place;
    this.confirms = confirms;
    relayPool = Pools.open(place, RELAY_CONNECTIONS);
    pool = Pools.open(place, WRITERS);
    wakes = Boolean.parseBoolean(place.get("wakes", "false"));
    destination = place.get("destination");
  }

  @Override
  public void fill(int messages) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      insert(connection, messages);
      Source.settle(connection, "twinbox.outbox");
    }
  }

  @Override
  public void pour(int messages) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      insert(connection, messages);
      connection.commit();
      connection.setAutoCommit(true);
    }
  }

  @Override
  public void start() {
    RelayBuilder builder =
        Relay.builder()
            .dataSource(relayPool)
            .broker(new ObservedBroker(broker(), confirms))
            .development();
    if (wakes) {
      builder.outbox(outbox);
    }
    relay = builder.build().start();
  }

  @Override
  public void stop() {
    Relay running = relay;
    if (running != null) {
      running.close();
      relay = null;
    }
  }

  @Override
  public void transact(String key, byte[] payload) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      Business.insert(connection, key);
      outbox.enqueue(
          connection,
          Message.to(destination)
              .key(key)
              .type("order.placed")
              .contentType("text/plain")
              .payload(payload));
      connection.commit();
      connection.setAutoCommit(true);
    }
    outbox.wake();
  }

  @Override
  public void close() {
    stop();
    relayPool.close();
    pool.close();
  }

  private static void insert(Connection connection, int messages) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      int left = messages;
      // A backlog larger than the source repeats it; ids then come again, which a relay ignores.
      while (left > 0) {
        left -= statement.executeUpdate(FILL.formatted(left));
      }
    }
  }

  private Broker broker() {
    return destination.startsWith("kafka:")
        ? KafkaBroker.named("kafka")
            .properties(() -> Map.of("bootstrap.servers", place.get("kafka")))
            .build()
        : RabbitBroker.named("rabbitmq").uri(place.get("rabbitmq")).build();
  }
}
