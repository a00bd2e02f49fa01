package dev.twinbox.relay.metrics;

import dev.twinbox.relay.status.Status.DestinationLine;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.TimeGauge;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What the outbox looked like when it was read last, in one registry. Thread-safe. */
final class OutboxGauges {
  private final MultiGauge waiting;
  private final MultiGauge oldest;
  private final MultiGauge parked;
  private final MultiGauge scheduled;
  private final MultiGauge dead;
  private volatile @Nullable OutboxFigures last;
  private volatile long readAt = System.nanoTime();

  OutboxGauges(MeterRegistry registry) {
    waiting = multi(registry, "waiting", "Committed messages that are not published");
    oldest =
        MultiGauge.builder("twinbox.outbox.oldest")
            .description("How long the oldest waiting message has been due")
            .baseUnit("seconds")
            .register(registry);
    parked = multi(registry, "parked", "Messages that wait beside their lanes");
    scheduled = multi(registry, "scheduled", "Messages that are not due");
    dead = multi(registry, "dead.letters", "Messages that were given up and not discarded");
    single(registry, "verdict", "0 ok, 1 warning, 2 critical", OutboxFigures::verdict);
    single(
        registry,
        "blocked.keys",
        "Keys that wait behind a dead letter",
        figures -> figures.status().blockedKeys());
    single(
        registry,
        "ring.used",
        "Leaves of the outbox that hold rows",
        figures -> figures.status().ring().used());
    single(
        registry,
        "ring.leaves",
        "Leaves of the outbox",
        figures -> figures.status().ring().leaves());
    single(
        registry,
        "open.transaction.seconds",
        "Age of the oldest open transaction that has enqueued",
        OutboxFigures::openTransactionSeconds);
    TimeGauge.builder(
            "twinbox.outbox.read.age",
            this,
            TimeUnit.NANOSECONDS,
            gauges -> System.nanoTime() - gauges.readAt)
        .description("How old these figures are")
        .register(registry);
  }

  private static MultiGauge multi(MeterRegistry registry, String name, String description) {
    return MultiGauge.builder("twinbox.outbox." + name).description(description).register(registry);
  }

  private void single(
      MeterRegistry registry,
      String name,
      String description,
      ToDoubleFunction<OutboxFigures> value) {
    Gauge.builder(
            "twinbox.outbox." + name,
            this,
            gauges -> {
              OutboxFigures figures = gauges.last;
              return figures == null ? Double.NaN : value.applyAsDouble(figures);
            })
        .description(description)
        .register(registry);
  }

  void show(OutboxFigures figures) {
    last = figures;
    readAt = System.nanoTime();
    List<DestinationLine> lines = figures.status().destinations();
    show(waiting, lines, DestinationLine::waiting);
    show(
        oldest,
        lines,
        line -> line.oldestWaitingSeconds() == null ? 0 : line.oldestWaitingSeconds());
    show(parked, lines, DestinationLine::parked);
    show(scheduled, lines, DestinationLine::scheduled);
    show(dead, lines, DestinationLine::deadLetters);
  }

  private static void show(
      MultiGauge gauge, List<DestinationLine> lines, ToDoubleFunction<DestinationLine> value) {
    gauge.register(
        lines.stream()
            .<MultiGauge.Row<?>>map(
                line ->
                    MultiGauge.Row.of(
                        Tags.of("destination", line.destination()), value.applyAsDouble(line)))
            .toList(),
        /* overwrite= */ true);
  }
}
