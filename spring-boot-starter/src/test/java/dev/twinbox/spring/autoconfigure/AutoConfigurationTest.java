package dev.twinbox.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinbox.inbox.Jackson3Decoders;
import dev.twinbox.inbox.JacksonDecoders;
import dev.twinbox.inbox.PayloadDecoders;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.outbox.Jackson3Codec;
import dev.twinbox.outbox.JacksonCodec;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.outbox.PayloadCodec;
import dev.twinbox.outbox.testing.RecordingOutbox;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.relay.Relay;
import dev.twinbox.spring.BrokerSource;
import dev.twinbox.spring.OutboxCustomizer;
import dev.twinbox.spring.actuate.TwinboxEndpoint;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.amqp.autoconfigure.RabbitAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import tools.jackson.databind.json.JsonMapper;

/** Which beans there are, and when they step back. No server is asked. */
@Tag("essential")
final class AutoConfigurationTest {
  private final ApplicationContextRunner service =
      new ApplicationContextRunner()
          .withConfiguration(
              AutoConfigurations.of(
                  TwinboxAutoConfiguration.class,
                  TwinboxMigrationAutoConfiguration.class,
                  TwinboxKafkaAutoConfiguration.class,
                  TwinboxRabbitAutoConfiguration.class,
                  TwinboxRelayAutoConfiguration.class))
          .withPropertyValues(
              "spring.application.name=shop", "twinbox.migrate=never", "twinbox.development=true");
  private final ApplicationContextRunner withDatabase =
      service.withBean("dataSource", DataSource.class, () -> mock(DataSource.class));
  private final ApplicationContextRunner withBrokers =
      withDatabase
          .withPropertyValues("twinbox.relay.enabled=false")
          .withConfiguration(
              AutoConfigurations.of(KafkaAutoConfiguration.class, RabbitAutoConfiguration.class));

  @Test
  void aServiceWithADatabaseHasAnOutboxAndARelay() {
    withDatabase.run(
        context -> {
          assertThat(context).hasNotFailed().hasSingleBean(Outbox.class);
          assertThat(context).hasSingleBean(SchemaInitializer.class);
          // no broker is known, so nothing runs
          assertThat(context.getBean(RelayLifecycle.class).isRunning()).isFalse();
        });
  }

  @Test
  void withoutADatabaseThereIsNothing() {
    service.run(
        context ->
            assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(Outbox.class)
                .doesNotHaveBean(SchemaInitializer.class)
                .doesNotHaveBean(RelayLifecycle.class));
  }

  @Test
  void ofTwoDatabasesNoneIsGuessed() {
    withDatabase
        .withBean("another", DataSource.class, () -> mock(DataSource.class))
        .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Outbox.class));
  }

  @Test
  void itCanBeSwitchedOff() {
    withBrokers
        .withPropertyValues("twinbox.enabled=false")
        .run(
            context ->
                assertThat(context)
                    .hasNotFailed()
                    .doesNotHaveBean(Outbox.class)
                    .doesNotHaveBean(SchemaInitializer.class)
                    .doesNotHaveBean(BrokerSource.class)
                    .doesNotHaveBean(RelayLifecycle.class));
  }

  @Test
  void theRelayCanRunElsewhere() {
    withBrokers.run(
        context ->
            assertThat(context).hasSingleBean(Outbox.class).doesNotHaveBean(RelayLifecycle.class));
    withDatabase
        .withClassLoader(new FilteredClassLoader(Relay.class))
        .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("twinboxRelay"));
  }

  @Test
  void yourBeansTakeTheirPlace() {
    Outbox own = new RecordingOutbox();
    SchemaInitializer initializer =
        new SchemaInitializer(Migrations.defaults(), mock(DataSource.class), MigrateMode.NEVER);
    withDatabase
        .withBean(Outbox.class, () -> own)
        .withBean(SchemaInitializer.class, () -> initializer)
        .run(
            context -> {
              assertThat(context).getBean(Outbox.class).isSameAs(own);
              assertThat(context).getBean(SchemaInitializer.class).isSameAs(initializer);
            });
  }

  @Test
  void tablesAreYoursWithoutTheMigrations() {
    withDatabase
        .withClassLoader(new FilteredClassLoader(Migrations.class))
        .run(
            context ->
                assertThat(context)
                    .hasNotFailed()
                    .doesNotHaveBean("twinboxSchemaInitializer")
                    .hasSingleBean(Outbox.class));
  }

  @Test
  void customizersHaveTheLastWord() {
    withDatabase
        .withBean(OutboxCustomizer.class, () -> builder -> builder.maxPayloadBytes(3))
        .run(
            context ->
                assertThat(context.getBean(Outbox.class))
                    .satisfies(
                        outbox ->
                            org.assertj.core.api.Assertions.assertThatThrownBy(
                                    () ->
                                        outbox.prepare(
                                            Message.to("kafka:orders").type("t").text("long")))
                                .hasMessageContaining("limit")));
  }

  @Test
  void brokersAreThoseThatSpringBootKnows() {
    withBrokers.run(
        context ->
            assertThat(context.getBeansOfType(BrokerSource.class).values())
                .extracting(BrokerSource::name)
                .containsExactlyInAnyOrder("kafka", "rabbitmq"));
    withBrokers
        .withClassLoader(new FilteredClassLoader(KafkaBroker.class))
        .run(
            context ->
                assertThat(context)
                    .hasNotFailed()
                    .doesNotHaveBean("twinboxKafkaBroker")
                    .hasBean("twinboxRabbitBroker"));
    withBrokers
        .withClassLoader(new FilteredClassLoader(RabbitBroker.class))
        .run(
            context ->
                assertThat(context)
                    .hasNotFailed()
                    .hasBean("twinboxKafkaBroker")
                    .doesNotHaveBean("twinboxRabbitBroker"));
  }

  /** Boot's templates have text serializers, which would be refused. */
  @Test
  void whatBootSetsForItsOwnClientsDoesNoHarm() {
    withBrokers
        .withPropertyValues(
            "spring.kafka.bootstrap-servers=one:1,two:2",
            "spring.kafka.security.protocol=SASL_SSL",
            "spring.kafka.producer.compression-type=zstd",
            "twinbox.brokers.kafka.properties.linger.ms=7")
        .run(
            context -> {
              Map<String, Object> producer = context.getBean(KafkaClients.class).producer();
              assertThat(producer)
                  .containsEntry("bootstrap.servers", List.of("one:1", "two:2"))
                  .containsEntry("security.protocol", "SASL_SSL")
                  .containsEntry("compression.type", "zstd")
                  .containsEntry("linger.ms", "7")
                  .doesNotContainKeys("key.serializer", "value.serializer", "client.id");
              assertThat(context.getBean(KafkaClients.class).consumer())
                  .doesNotContainKeys("isolation.level", "key.deserializer", "max.poll.records");
              context.getBean("twinboxKafkaBroker", BrokerSource.class).open().close();
            });
  }

  @Test
  void rabbitIsReachedAsSpringBootReachesIt() {
    withBrokers
        .withPropertyValues(
            "spring.rabbitmq.addresses=amqps://ann:secret@one:1234/shop",
            "twinbox.brokers.rabbitmq.properties.management.uri=http://one:15672")
        .run(
            context -> {
              RabbitClients clients = context.getBean(RabbitClients.class);
              assertThat(clients.management()).isEqualTo("http://one:15672");
              try (RabbitBroker broker =
                  (RabbitBroker)
                      context.getBean("twinboxRabbitBroker", BrokerSource.class).open()) {
                assertThat(broker.connectionFactory())
                    .satisfies(
                        factory -> {
                          assertThat(factory.getUsername()).isEqualTo("ann");
                          assertThat(factory.getVirtualHost()).isEqualTo("shop");
                          assertThat(factory.isSSL()).isTrue();
                        });
                assertThat(broker.managementUri()).isEqualTo("http://one:15672");
              }
            });
  }

  @Test
  void jsonIsTheApplicationsOwn() {
    withDatabase
        .withBean(JsonMapper.class, () -> JsonMapper.builder().build())
        .withConfiguration(AutoConfigurations.of(TwinboxJsonAutoConfiguration.class))
        .run(
            context -> {
              assertThat(context).getBean(PayloadCodec.class).isInstanceOf(Jackson3Codec.class);
              assertThat(context)
                  .getBean(PayloadDecoders.class)
                  .isInstanceOf(Jackson3Decoders.class);
            });
    withDatabase
        .withBean(ObjectMapper.class, ObjectMapper::new)
        .withConfiguration(AutoConfigurations.of(TwinboxJsonAutoConfiguration.class))
        .run(
            context -> {
              assertThat(context).getBean(PayloadCodec.class).isInstanceOf(JacksonCodec.class);
              assertThat(context)
                  .getBean(PayloadDecoders.class)
                  .isInstanceOf(JacksonDecoders.class);
            });
    PayloadCodec own = value -> new byte[0];
    withDatabase
        .withBean(JsonMapper.class, () -> JsonMapper.builder().build())
        .withBean(PayloadCodec.class, () -> own)
        .withConfiguration(AutoConfigurations.of(TwinboxJsonAutoConfiguration.class))
        .run(context -> assertThat(context).getBean(PayloadCodec.class).isSameAs(own));
  }

  @Test
  void theActuatorShowsHealthAndAnEndpointOnRequest() {
    ApplicationContextRunner actuator =
        withDatabase.withConfiguration(
            AutoConfigurations.of(
                TwinboxHealthAutoConfiguration.class, TwinboxEndpointAutoConfiguration.class));
    actuator.run(
        context -> {
          assertThat(context).hasBean("twinboxHealthIndicator").doesNotHaveBean("twinboxEndpoint");
          // no broker is known, so nothing is relayed, and that is no problem
          assertThat(context.getBean("twinboxHealthIndicator", HealthIndicator.class).health())
              .isNotNull()
              .extracting(Health::getStatus)
              .isEqualTo(Status.UP);
        });
    actuator
        .withPropertyValues(
            "management.endpoints.web.exposure.include=twinbox",
            "management.health.twinbox.enabled=false")
        .run(
            context ->
                assertThat(context)
                    .hasSingleBean(TwinboxEndpoint.class)
                    .doesNotHaveBean("twinboxHealthIndicator"));
  }

  @Test
  void aServiceWithoutANameIsToldHowToNameItself() {
    withDatabase
        .withPropertyValues("spring.application.name=")
        .run(
            context -> {
              assertThat(context).hasFailed();
              assertThat(
                      new MissingNameFailureAnalyzer()
                          .analyze(Objects.requireNonNull(context.getStartupFailure())))
                  .satisfies(
                      analysis ->
                          assertThat(analysis.getAction()).contains("twinbox.outbox.source"));
            });
    withDatabase
        .withPropertyValues("spring.application.name=", "twinbox.outbox.source=/shop")
        .run(context -> assertThat(context).hasNotFailed());
  }

  @Test
  void theApplicationsNameIsTheSource() {
    assertThat(new ApplicationName("shop").source(null)).isEqualTo("/shop");
    assertThat(new ApplicationName("my shop").source(null)).isEqualTo("/my%20shop");
    assertThat(new ApplicationName("shop").source("/other")).isEqualTo("/other");
  }
}
