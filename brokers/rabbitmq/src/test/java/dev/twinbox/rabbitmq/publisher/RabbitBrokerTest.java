package dev.twinbox.rabbitmq.publisher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.ConnectionFactory;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RabbitBrokerTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "connection.recovery.enabled | true",
        "topology.recovery.enabled | true",
        "connection.heartbeat | 0",
        "connection.timeout | 0",
        "handshake.timeout | 0",
        "channel.rpc.timeout | 0",
      })
  void aSettingThatWouldBreakAGuaranteeIsRefusedByNameAndValue(String name, String value) {
    RabbitBroker.Builder builder =
        RabbitBroker.named("rabbitmq@eu").properties(Map.of(name, value));

    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(name + "=" + value);
  }

  @Test
  void recoveryCannotBeSwitchedOnInTheLastWordEither() {
    assertThatThrownBy(
            () ->
                RabbitBroker.named("rabbitmq")
                    .configure(factory -> factory.setAutomaticRecoveryEnabled(true))
                    .build())
        .hasMessageContaining("recovery");
    assertThatThrownBy(
            () ->
                RabbitBroker.named("rabbitmq")
                    .configure(factory -> factory.setRequestedHeartbeat(0))
                    .build())
        .hasMessageContaining("heartbeat");
  }

  @Test
  void theDefaultsNoticeAFrozenBrokerAndTrustNobodyBlindly() {
    ConnectionFactory factory =
        settings(Map.of("uri", "amqps://user:secret@broker.example:5671/shop")).factory();

    assertThat(factory.isAutomaticRecoveryEnabled()).isFalse();
    assertThat(factory.isTopologyRecoveryEnabled()).isFalse();
    assertThat(factory.getRequestedHeartbeat()).isEqualTo(10);
    assertThat(factory.getConnectionTimeout()).isEqualTo(5000);
    assertThat(factory.isSSL()).isTrue();
    assertThat(factory.getVirtualHost()).isEqualTo("shop");
  }

  @Test
  void theUsersSettingsPassThrough() {
    ConnectionFactory factory =
        settings(
                Map.of(
                    "host", "broker.example",
                    "port", "5673",
                    "virtual.host", "/",
                    "connection.recovery.enabled", "false",
                    "connection.heartbeat", "30",
                    "client.properties.team", "shop"))
            .factory();

    assertThat(factory.getHost()).isEqualTo("broker.example");
    assertThat(factory.getPort()).isEqualTo(5673);
    assertThat(factory.getRequestedHeartbeat()).isEqualTo(30);
    assertThat(factory.getClientProperties()).containsEntry("team", "shop");
  }

  @Test
  void theNameMustBeThatOfARabbitBroker() {
    assertThatThrownBy(() -> RabbitBroker.named("kafka"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("kafka");
  }

  @Test
  void timeoutsMustBePositive() {
    assertThatThrownBy(() -> RabbitBroker.named("rabbitmq").confirmTimeout(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> RabbitBroker.named("rabbitmq").blockedTimeout(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static RabbitSettings settings(Map<String, String> properties) {
    return new RabbitSettings("rabbitmq", () -> properties, factory -> {});
  }
}
