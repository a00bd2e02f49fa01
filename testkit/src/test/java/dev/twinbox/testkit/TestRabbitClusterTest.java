package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.MessageProperties;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TestRabbitClusterTest {
  private static final String QUEUE = "replicated";

  @Test
  void aQuorumOutlivesTheNodeThatIsKilled() throws Exception {
    try (TestRabbitCluster cluster = TestRabbitCluster.start()) {
      try (Connection connection = cluster.node(1).connectionFactory().newConnection();
          Channel channel = connection.createChannel()) {
        channel.queueDeclare(QUEUE, true, false, false, Map.of("x-queue-type", "quorum"));
        publish(channel, "before");

        cluster.node(0).kill();
        publish(channel, "during");
        assertThat(cluster.addresses()).hasSize(cluster.size()).doesNotHaveDuplicates();
      }
      try (Connection any =
          cluster.node(0).connectionFactory().newConnection(cluster.addresses())) {
        assertThat(any.getPort()).isNotEqualTo(cluster.node(0).port());
      }

      cluster.node(0).restart();
      cluster.node(0).control("await_online_nodes", "3");
      try (Connection connection = cluster.node(0).connectionFactory().newConnection();
          Channel channel = connection.createChannel()) {
        await()
            .atMost(Duration.ofSeconds(30))
            .ignoreExceptions()
            .until(
                () -> channel.basicGet(QUEUE, true), response -> text(response).equals("before"));
        await()
            .atMost(Duration.ofSeconds(30))
            .until(
                () -> channel.basicGet(QUEUE, true), response -> text(response).equals("during"));
      }
    }
  }

  private static void publish(Channel channel, String body) throws Exception {
    channel.confirmSelect();
    channel.basicPublish(
        "", QUEUE, MessageProperties.PERSISTENT_BASIC, body.getBytes(StandardCharsets.UTF_8));
    channel.waitForConfirmsOrDie(30_000);
  }

  private static String text(@Nullable GetResponse r) {
    return r == null ? "" : new String(r.getBody(), StandardCharsets.UTF_8);
  }
}
