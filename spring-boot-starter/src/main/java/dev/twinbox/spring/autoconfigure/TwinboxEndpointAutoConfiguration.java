package dev.twinbox.spring.autoconfigure;

import dev.twinbox.relay.Relay;
import dev.twinbox.spring.actuate.TwinboxEndpoint;
import javax.sql.DataSource;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** The endpoint {@code twinbox}, where it is exposed. */
@AutoConfiguration(after = TwinboxAutoConfiguration.class)
@ConditionalOnClass({Relay.class, ConditionalOnAvailableEndpoint.class})
@ConditionalOnAvailableEndpoint(TwinboxEndpoint.class)
@ConditionalOnBean({TwinboxProperties.class, DataSource.class})
public final class TwinboxEndpointAutoConfiguration {
  @Bean
  @ConditionalOnMissingBean
  TwinboxEndpoint twinboxEndpoint(DataSource dataSource, TwinboxProperties properties) {
    return new TwinboxEndpoint(dataSource, properties.schema());
  }
}
