package dev.twinbox.spring.autoconfigure;

import dev.twinbox.spring.actuate.TwinboxHealthIndicator;
import dev.twinbox.spring.inbox.ListenerLifecycle;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** Health of relay and listeners, where Spring Boot's health is. */
@AutoConfiguration(
    after = {TwinboxRelayAutoConfiguration.class, TwinboxInboxAutoConfiguration.class})
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnEnabledHealthIndicator("twinbox")
@ConditionalOnBean(TwinboxProperties.class)
public final class TwinboxHealthAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean(name = "twinboxHealthIndicator")
  HealthIndicator twinboxHealthIndicator(
      ObjectProvider<RelayLifecycle> relay, ObjectProvider<ListenerLifecycle> listeners) {
    Map<String, Supplier<List<String>>> parts = new LinkedHashMap<>();
    relay.ifAvailable(lifecycle -> parts.put("relay", lifecycle::problems));
    listeners.ifAvailable(lifecycle -> parts.put("listeners", lifecycle::problems));
    return new TwinboxHealthIndicator(parts);
  }
}
