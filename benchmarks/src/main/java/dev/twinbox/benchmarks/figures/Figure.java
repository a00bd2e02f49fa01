package dev.twinbox.benchmarks.figures;

import java.util.Locale;

/** Every figure of a report; its name in the report is the constant's in lower case. */
public enum Figure {
  DRAIN_KAFKA_VS_RAW_LOOP("relay to Kafka / one SELECT into a producer", Goal.atLeast(0.85)),
  DRAIN_KAFKA_VS_RAW_LOOP_2K("the same with 2 KiB", Goal.atLeast(0.85)),
  DRAIN_KAFKA_VS_BEST_PEER("the same / fastest polling library", Goal.atLeast(20)),
  DRAIN_KAFKA_VS_SKIP_LOCKED("the same / SKIP LOCKED + DELETE", Goal.atLeast(2)),
  DRAIN_KAFKA_VS_SKIP_LOCKED_2K("the same with 2 KiB", Goal.atLeast(2)),
  DRAIN_KAFKA_VS_STATUS_UPDATE("the same / SKIP LOCKED + status UPDATE", Goal.NONE),
  DRAIN_KAFKA_VS_DEBEZIUM("the same / Debezium, embedded", Goal.atLeast(3)),
  DRAIN_RABBITMQ_VS_RAW_CONFIRMS(
      "relay to a quorum queue / bare asynchronous confirms, 10,000 keys", Goal.atLeast(0.90)),
  DRAIN_RABBITMQ_VS_RAW_CONFIRMS_2K("the same with 2 KiB", Goal.atLeast(0.90)),
  DRAIN_RABBITMQ_BY_KEYS("messages/s with 1, 100, 10,000 keys and without", Goal.NONE),
  RABBITMQ_CONFIRMS_VS_TX("asynchronous confirms / channel transactions", Goal.NONE),
  ENQUEUE_VS_BARE_INSERT("business insert + enqueue / + bare insert", Goal.atLeast(0.90)),
  ENQUEUE_VS_BARE_INSERT_2K("the same with 2 KiB", Goal.atLeast(0.90)),
  ENQUEUE_ALL_VS_RAW_BATCH("enqueueAll of 100 / rewritten batch insert", Goal.atLeast(0.80)),
  ENQUEUE_ALL_VS_RAW_BATCH_2K("the same with 2 KiB", Goal.atLeast(0.80)),
  END_TO_END_P50_MS("median to the broker's confirm, above the bare producer's", Goal.atMost(10)),
  END_TO_END_P99_MS("99th percentile, likewise", Goal.atMost(30)),
  P99_IN_PROCESS_VS_BEST_PEER(
      "best peer's p99 / ours, in the enqueuing process, 1,000/s", Goal.atLeast(1)),
  P99_IN_PROCESS_VS_BEST_PEER_200("the same at 200/s", Goal.atLeast(1)),
  P99_WORKER_VS_BEST_PEER("best polling peer's p99 / ours as a worker, 200/s", Goal.atLeast(4)),
  BACKLOG_LARGE_VS_SMALL("first tenth / last tenth of a large backlog", Goal.between(0.95, 1.05)),
  HELD_XMIN_RATIO("capacity after / before a held xmin horizon", Goal.atLeast(0.95)),
  INBOX_BATCH_VS_NO_INBOX("inbox in batches / no inbox", Goal.atLeast(0.80)),
  INBOX_BATCH_VS_NO_INBOX_2K("the same with 2 KiB", Goal.atLeast(0.80)),
  INBOX_SINGLE_VS_NO_INBOX("inbox, a transaction a message / no inbox", Goal.atLeast(0.70)),
  WAL_BYTES_VS_BARE_INSERT("WAL of an enqueued message / of a bare insert", Goal.atMost(1.35)),
  IDLE_CPU_PERCENT("idle relay, % of a core", Goal.atMost(1)),
  IDLE_STATEMENTS_PER_S("idle relay, statements/s", Goal.atMost(60)),
  RELAYS_2_VS_1("two relay processes / one", Goal.NONE);

  private final String what;
  private final Goal goal;

  Figure(String what, Goal goal) {
    this.what = what;
    this.goal = goal;
  }

  /** What over what, for a table. */
  public String what() {
    return what;
  }

  /** What it should be. */
  public Goal goal() {
    return goal;
  }

  /** Its name in the report. */
  public String field() {
    return name().toLowerCase(Locale.ROOT);
  }
}
