package dev.twinbox.cli;

import dev.twinbox.relay.status.Thresholds;
import dev.twinbox.relay.status.Verdict.Cause;
import dev.twinbox.relay.status.Verdict.Level;
import dev.twinbox.relay.status.Words;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How far a consumer is behind its broker.
 *
 * @param consumer a group with its broker, or a queue with its broker
 * @param source a topic, or the queue
 * @param lag how many messages it has not taken; null when that could not be read
 * @param consumers how many members or consumers there are; null when that could not be read
 * @param partitions the same for each partition; empty for a queue
 * @param error why it could not be read, or null
 */
record ConsumerLag(
    String consumer,
    String source,
    @Nullable Long lag,
    @Nullable Integer consumers,
    List<Partition> partitions,
    @Nullable String error) {
  ConsumerLag {
    partitions = List.copyOf(partitions);
  }

  /**
   * A partition.
   *
   * @param committed the group's offset, or null when it has committed none
   * @param end the offset of the next message to come
   * @param lag how many are between, from the beginning where none is committed
   * @param withheld how many of them lie behind the last stable offset, which an open transaction
   *     of another producer holds
   */
  record Partition(int partition, @Nullable Long committed, long end, long lag, long withheld) {
    /** Whether the group has read all that the broker delivers, and more is there. */
    boolean waitsForTransaction() {
      return withheld > 0 && withheld == lag;
    }
  }

  static ConsumerLag unreadable(String consumer, String source, String error) {
    return new ConsumerLag(consumer, source, null, null, List.of(), error);
  }

  Optional<Cause> cause(Thresholds thresholds) {
    if (error != null) {
      return Optional.of(
          new Cause(
              Level.WARNING,
              "lag-unknown",
              consumer,
              "The lag of %s in %s cannot be read: %s".formatted(consumer, source, error)));
    }
    if (lag == null) {
      return Optional.empty();
    }
    if (lag > 0 && consumers != null && consumers == 0) {
      return Optional.of(
          new Cause(
              Level.CRITICAL,
              "no-consumer",
              consumer,
              "Nobody consumes %s for %s; %s messages behind"
                  .formatted(source, consumer, Words.count(lag))));
    }
    List<Partition> waiting = partitions.stream().filter(Partition::waitsForTransaction).toList();
    if (!waiting.isEmpty()) {
      return Optional.of(
          new Cause(
              Level.WARNING,
              "consumer-withheld",
              consumer,
              "%s messages wait for %s in %s, partition %s, behind an open transaction of another"
                      .formatted(
                          Words.count(waiting.stream().mapToLong(Partition::withheld).sum()),
                          consumer,
                          source,
                          waiting.get(0).partition())
                  + " producer, which holds the last stable offset; kafka-transactions.sh"
                  + " find-hanging names it"));
    }
    return lag > thresholds.maxLag()
        ? Optional.of(
            new Cause(
                Level.WARNING,
                "consumer-lag",
                consumer,
                "%s is %s messages behind in %s".formatted(consumer, Words.count(lag), source)))
        : Optional.empty();
  }
}
