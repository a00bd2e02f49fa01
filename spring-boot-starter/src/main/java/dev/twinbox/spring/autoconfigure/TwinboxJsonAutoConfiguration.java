package dev.twinbox.spring.autoconfigure;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinbox.inbox.Jackson3Decoders;
import dev.twinbox.inbox.JacksonDecoders;
import dev.twinbox.inbox.PayloadDecoders;
import dev.twinbox.outbox.Jackson3Codec;
import dev.twinbox.outbox.JacksonCodec;
import dev.twinbox.outbox.PayloadCodec;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import tools.jackson.databind.json.JsonMapper;

/**
 * JSON as the application's own mapper has it: Jackson 3's where Spring Boot makes one, else
 * Jackson 2's. Without a mapper, outbox and inbox use defaults of their own.
 */
@AutoConfiguration(
    before = TwinboxAutoConfiguration.class,
    afterName = {
      "org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration",
      "org.springframework.boot.jackson2.autoconfigure.Jackson2AutoConfiguration"
    })
@Import({TwinboxJsonAutoConfiguration.Jackson3.class, TwinboxJsonAutoConfiguration.Jackson2.class})
public final class TwinboxJsonAutoConfiguration {
  /** Before Jackson 2, by the order of the import. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({JsonMapper.class, Jackson3Codec.class})
  @ConditionalOnSingleCandidate(JsonMapper.class)
  static class Jackson3 {
    @Bean
    @ConditionalOnMissingBean
    PayloadCodec twinboxPayloadCodec(JsonMapper mapper) {
      return Jackson3Codec.of(mapper);
    }

    @Bean
    @ConditionalOnMissingBean
    PayloadDecoders twinboxPayloadDecoders(JsonMapper mapper) {
      return Jackson3Decoders.of(mapper);
    }
  }

  /** Where there is no Jackson 3. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({ObjectMapper.class, JacksonCodec.class})
  @ConditionalOnSingleCandidate(ObjectMapper.class)
  static class Jackson2 {
    @Bean
    @ConditionalOnMissingBean
    PayloadCodec twinboxJackson2Codec(ObjectMapper mapper) {
      return JacksonCodec.of(mapper);
    }

    @Bean
    @ConditionalOnMissingBean
    PayloadDecoders twinboxJackson2Decoders(ObjectMapper mapper) {
      return JacksonDecoders.of(mapper);
    }
  }
}
