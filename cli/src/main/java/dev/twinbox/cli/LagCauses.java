package dev.twinbox.cli;

import dev.twinbox.broker.SourceLag;
import dev.twinbox.relay.status.HumanFormat;
import dev.twinbox.relay.status.Thresholds;
import dev.twinbox.relay.status.Verdict.Cause;
import dev.twinbox.relay.status.Verdict.Level;
import java.util.List;
import java.util.Optional;

/** What a consumer's lag means for the verdict. */
final class LagCauses {
  private LagCauses() {}

  static Optional<Cause> of(SourceLag read, Thresholds thresholds) {
    String consumer = read.consumer();
    String source = read.source();
    Long lag = read.lag();
    Integer consumers = read.consumers();
    String error = read.error();
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
                  .formatted(source, consumer, HumanFormat.count(lag))));
    }
    List<SourceLag.Partition> waiting =
        read.partitions().stream().filter(SourceLag.Partition::waitsForTransaction).toList();
    if (!waiting.isEmpty()) {
      return Optional.of(
          new Cause(
              Level.WARNING,
              "consumer-withheld",
              consumer,
              "%s messages wait for %s in %s, partition %s, behind an open transaction of another"
                      .formatted(
                          HumanFormat.count(
                              waiting.stream().mapToLong(SourceLag.Partition::withheld).sum()),
                          consumer,
                          source,
                          waiting.get(0).partition())
                  + " producer, which holds the last stable offset"));
    }
    return lag > thresholds.maxLag()
        ? Optional.of(
            new Cause(
                Level.WARNING,
                "consumer-lag",
                consumer,
                "%s is %s messages behind in %s"
                    .formatted(consumer, HumanFormat.count(lag), source)))
        : Optional.empty();
  }
}
