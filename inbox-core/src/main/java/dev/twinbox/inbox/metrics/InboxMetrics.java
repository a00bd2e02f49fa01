package dev.twinbox.inbox.metrics;

import dev.twinbox.broker.Supervision;
import dev.twinbox.inbox.ConsumerLag;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxListener;
import dev.twinbox.inbox.Receipt;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * A consumer's figures: what became of its messages, how long its handlers take, how far it is
 * behind. docs/operations.md lists them all. What operators redrive is not counted.
 *
 * <p>Thread-safe. Use: {@code new InboxMetrics(inbox, consumer).bindTo(registry)}, and {@link
 * #close} at the end. Needs {@code micrometer-core} on the class path.
 */
public final class InboxMetrics implements MeterBinder, AutoCloseable {
  private static final long EVERY_SECONDS = 5;
  private static final String[] OUTCOMES = {
    "processed", "duplicate", "expired", "refused", "quarantined", "failed", "held"
  };

  private final Inbox inbox;
  private final List<ConsumerLag> consumers;
  private final ScheduledExecutorService reader =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "twinbox-inbox-metrics");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param inbox whose figures
   * @param consumers those that feed it, for their lag; may be none
   */
  public InboxMetrics(Inbox inbox, ConsumerLag... consumers) {
    this.inbox = inbox;
    this.consumers = List.of(consumers);
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    inbox.addListener(new Recorder(registry, inbox.consumer()));
    if (consumers.isEmpty()) {
      return;
    }
    MultiGauge lag =
        MultiGauge.builder("twinbox.inbox.lag")
            .description("Messages that the broker holds and this instance has not fetched")
            .tags("consumer", inbox.consumer())
            .register(registry);
    MultiGauge withheld =
        MultiGauge.builder("twinbox.inbox.withheld")
            .description("Of the lag, what the broker withholds, as behind an open transaction")
            .tags("consumer", inbox.consumer())
            .register(registry);
    var unused =
        reader.scheduleWithFixedDelay(
            () -> Supervision.attempt("The lag of " + inbox.consumer(), () -> show(lag, withheld)),
            0,
            EVERY_SECONDS,
            TimeUnit.SECONDS);
  }

  private void show(MultiGauge lag, MultiGauge withheld) {
    show(lag, ConsumerLag::lag);
    show(withheld, ConsumerLag::withheld);
  }

  private void show(MultiGauge gauge, Function<ConsumerLag, Map<String, Long>> what) {
    Map<String, Long> figures = new TreeMap<>();
    consumers.forEach(consumer -> figures.putAll(what.apply(consumer)));
    gauge.register(
        figures.entrySet().stream()
            .<MultiGauge.Row<?>>map(
                each -> MultiGauge.Row.of(Tags.of("source", each.getKey()), each.getValue()))
            .toList(),
        /* overwrite= */ true);
  }

  /** Stops looking at the lag; the meters stay registered. Idempotent. */
  @Override
  public void close() {
    reader.shutdownNow();
  }

  private static final class Recorder implements InboxListener {
    private final Map<String, Counter> received = new HashMap<>();
    private final DistributionSummary batchSize;
    private final Timer batch;
    private final Timer handler;

    private Recorder(MeterRegistry registry, String consumer) {
      for (String outcome : OUTCOMES) {
        received.put(
            outcome,
            Counter.builder("twinbox.inbox.received")
                .description("Deliveries, by what became of them")
                .tags("consumer", consumer, "outcome", outcome)
                .register(registry));
      }
      batchSize =
          DistributionSummary.builder("twinbox.inbox.batch.size")
              .description("Deliveries a batch")
              .tags("consumer", consumer)
              .register(registry);
      batch =
          Timer.builder("twinbox.inbox.batch")
              .description("How long a batch takes, with its commits")
              .tags("consumer", consumer)
              .register(registry);
      handler =
          Timer.builder("twinbox.inbox.handler")
              .description("How long a handler runs")
              .tags("consumer", consumer)
              .register(registry);
    }

    @Override
    public void received(List<Receipt> receipts, Duration took) {
      batchSize.record(receipts.size());
      batch.record(took);
      for (Receipt receipt : receipts) {
        Counter counter = received.get(outcome(receipt));
        if (counter != null) {
          counter.increment();
        }
      }
    }

    @Override
    public void handled(Duration took) {
      handler.record(took);
    }

    private static String outcome(Receipt receipt) {
      if (receipt instanceof Receipt.Processed) {
        return "processed";
      }
      if (receipt instanceof Receipt.Duplicate) {
        return "duplicate";
      }
      if (receipt instanceof Receipt.Expired) {
        return "expired";
      }
      if (receipt instanceof Receipt.Refused) {
        return "refused";
      }
      if (receipt instanceof Receipt.Quarantined) {
        return "quarantined";
      }
      return receipt instanceof Receipt.Failed ? "failed" : "held";
    }
  }
}
