package dev.twinbox.spring.autoconfigure;

import dev.twinbox.relay.metrics.RelayMetrics;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** The relay's meters, where there is a registry. */
@AutoConfiguration(
    after = TwinboxRelayAutoConfiguration.class,
    afterName =
        "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration")
@ConditionalOnClass({MeterRegistry.class, RelayMetrics.class})
@ConditionalOnBean({RelayLifecycle.class, MeterRegistry.class})
public final class TwinboxMetricsAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  RelayMeters twinboxRelayMeters(MeterRegistry registry, RelayLifecycle relay) {
    return new RelayMeters(registry, relay);
  }
}
