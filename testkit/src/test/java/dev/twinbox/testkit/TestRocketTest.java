package dev.twinbox.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TestRocketTest {
  private static TestRocket rocket;

  @BeforeAll
  static void start() {
    rocket = TestRocket.withSlave(Map.of());
  }

  @AfterAll
  static void stop() {
    rocket.close();
  }

  @Test
  void whatIsConfirmedSurvivesAKillOfTheMaster() throws Exception {
    rocket.createTopic("kept", 2);
    assertThat(send("kept", "before").getSendStatus()).isEqualTo(SendStatus.SEND_OK);

    rocket.kill(0);
    rocket.startBroker(0);

    assertThat(bodies("kept")).containsExactly("before");
  }

  @Test
  void aMasterWithoutItsSlaveConfirmsNothing() throws Exception {
    rocket.createTopic("alone", 1);
    rocket.kill(1);
    try {
      assertThat(send("alone", "on one disk").getSendStatus())
          .isIn(SendStatus.FLUSH_SLAVE_TIMEOUT, SendStatus.SLAVE_NOT_AVAILABLE);
    } finally {
      rocket.startBroker(1);
    }
  }

  @Test
  void clientsComeThroughTheProxies() throws Exception {
    rocket.createTopic("entered", 1);
    rocket.brokerProxy(0).refuse();
    rocket.brokerProxy(0).cut();
    try {
      assertThatThrownBy(() -> send("entered", "lost")).hasStackTraceContaining("127.0.0.2");
    } finally {
      rocket.brokerProxy(0).restore();
    }
    assertThat(send("entered", "arrived").getSendStatus()).isEqualTo(SendStatus.SEND_OK);
  }

  @Test
  void theNameServerKnowsTheBrokersAgainAfterItsDeath() throws Exception {
    rocket.createTopic("found", 1);
    rocket.killNameServer();
    rocket.startNameServer();
    assertThat(send("found", "it").getSendStatus()).isEqualTo(SendStatus.SEND_OK);
  }

  private static SendResult send(String topic, String body) throws Exception {
    DefaultMQProducer producer = new DefaultMQProducer("testkit-test");
    producer.setNamesrvAddr(rocket.nameServer());
    producer.setRetryTimesWhenSendFailed(0);
    producer.setInstanceName("testkit-test-" + System.nanoTime());
    producer.start();
    try {
      return producer.send(new Message(topic, body.getBytes(UTF_8)), 10_000);
    } finally {
      producer.shutdown();
    }
  }

  private static List<String> bodies(String topic) {
    return rocket.read(topic).stream()
        .map(message -> new String(message.getBody(), UTF_8))
        .toList();
  }
}
