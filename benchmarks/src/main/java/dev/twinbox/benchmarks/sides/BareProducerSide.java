package dev.twinbox.benchmarks.sides;

import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import dev.twinbox.broker.OutboxRecord;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** A Kafka producer alone, without a database: what of a latency is the broker's. */
public final class BareProducerSide implements Side {
  private final String destination;
  private final KafkaOut kafka;

  /** Sends to the place's destination. */
  public BareProducerSide(Place place, Confirms confirms) {
    destination = place.get("destination");
    kafka = new KafkaOut(place, confirms);
  }

  @Override
  public void fill(int messages) {
    throw new UnsupportedOperationException("There is no table to fill.");
  }

  @Override
  public void start() {
    // Always ready.
  }

  @Override
  public void stop() {
    kafka.flush();
  }

  @Override
  public void transact(String key, byte[] payload) {
    CompletableFuture<Void> unused = kafka.send(record(destination, key, payload));
  }

  /** The record of a message that was never in a table. */
  public static OutboxRecord record(String destination, String key, byte[] payload) {
    return new OutboxRecord(
        0,
        0,
        UUID.randomUUID(),
        Instant.now(),
        null,
        destination,
        key,
        "order.placed",
        "text/plain",
        List.of(new OutboxRecord.Header("ce_source", "/bench")),
        payload);
  }

  @Override
  public void close() {
    kafka.close();
  }
}
