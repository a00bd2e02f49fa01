package dev.twinbox.spring.autoconfigure;

import dev.twinbox.relay.Relay;
import dev.twinbox.relay.metrics.RelayMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;

/** The meters of the relay, for as long as it runs. */
final class RelayMeters implements SmartLifecycle {
  private final MeterRegistry registry;
  private final RelayLifecycle lifecycle;
  private @Nullable RelayMetrics metrics;

  RelayMeters(MeterRegistry registry, RelayLifecycle lifecycle) {
    this.registry = registry;
    this.lifecycle = lifecycle;
  }

  @Override
  public synchronized void start() {
    Relay relay = lifecycle.relay();
    if (relay != null && metrics == null) {
      RelayMetrics starting = new RelayMetrics(relay);
      starting.bindTo(registry);
      metrics = starting;
    }
  }

  @Override
  public synchronized void stop() {
    RelayMetrics stopping = metrics;
    metrics = null;
    if (stopping != null) {
      stopping.close();
    }
  }

  @Override
  public synchronized boolean isRunning() {
    return metrics != null;
  }

  /** Right after the relay. */
  @Override
  public int getPhase() {
    return RelayLifecycle.PHASE + 1;
  }
}
