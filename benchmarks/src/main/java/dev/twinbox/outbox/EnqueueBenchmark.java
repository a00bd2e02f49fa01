package dev.twinbox.outbox;

import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What an enqueue costs before any SQL. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class EnqueueBenchmark {
  private final Outbox outbox = Outbox.builder().source("/bench").build();
  private final Message message =
      Message.to("kafka:orders")
          .key("order-000042")
          .type("order.placed")
          .contentType("text/plain")
          .header("region", "eu-west")
          .payload(new byte[256]);

  /** The id alone. */
  @Benchmark
  public UUID id() {
    return MessageIds.create(null, null);
  }

  /** The lane's hash of a key. */
  @Benchmark
  public int laneHash() {
    return LaneHash.of("order-000042");
  }

  /** Checks, id, headers and hash: all but the insert. */
  @Benchmark
  public Message encode() {
    return outbox.prepare(message);
  }
}
