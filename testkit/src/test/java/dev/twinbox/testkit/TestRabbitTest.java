package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.MessageProperties;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class TestRabbitTest {
  private static TestRabbit rabbit;

  @BeforeAll
  static void start() {
    rabbit = TestRabbit.start();
  }

  @AfterAll
  static void stop() {
    rabbit.close();
  }

  @Test
  void aKilledNodeComesBackWithItsConfirmedMessages() throws Exception {
    String queue = "kept-" + UUID.randomUUID();
    int port = rabbit.port();
    Connection first = rabbit.connectionFactory().newConnection();
    publish(first, queue, "kept");
    // That the queue exists is not written at once by RabbitMQ, unlike a confirmed message.
    rabbit.control("eval", "mnesia:sync_log(), mnesia:dump_log().");

    rabbit.kill();
    await().until(() -> !first.isOpen());
    assertThatThrownBy(() -> rabbit.connectionFactory().newConnection())
        .isInstanceOf(IOException.class);
    rabbit.restart();

    assertThat(rabbit.port()).isEqualTo(port);
    try (Connection connection = rabbit.connectionFactory().newConnection()) {
      assertThat(read(connection, queue)).isEqualTo("kept");
    }
  }

  @Test
  void aMemoryAlarmBlocksPublishersUntilItIsCleared() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    CountDownLatch unblocked = new CountDownLatch(1);
    String queue = "alarm-" + UUID.randomUUID();
    try (Connection connection = rabbit.connectionFactory().newConnection()) {
      publish(connection, queue, "before");
      connection.addBlockedListener(reason -> blocked.countDown(), unblocked::countDown);

      rabbit.raiseMemoryAlarm();
      try (Channel channel = connection.createChannel()) {
        channel.basicPublish(
            "",
            queue,
            MessageProperties.PERSISTENT_BASIC,
            "during".getBytes(StandardCharsets.UTF_8));
        assertThat(blocked.await(20, TimeUnit.SECONDS)).isTrue();
        rabbit.clearMemoryAlarm();
        assertThat(unblocked.await(20, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  @Test
  void aPausedNodeConfirmsNothingUntilItIsResumed() throws Exception {
    String queue = "paused-" + UUID.randomUUID();
    try (Connection connection = rabbit.connectionFactory().newConnection()) {
      publish(connection, queue, "before");
      try (Channel channel = connection.createChannel()) {
        channel.confirmSelect();
        rabbit.pause();
        channel.basicPublish(
            "",
            queue,
            MessageProperties.PERSISTENT_BASIC,
            "during".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> channel.waitForConfirms(300)).isInstanceOf(TimeoutException.class);
        rabbit.resume();
        assertThat(channel.waitForConfirms(20_000)).isTrue();
      }
    }
  }

  @Test
  void itsManagementAnswers() throws Exception {
    String credentials = rabbit.user() + ":" + rabbit.password();
    HttpRequest request =
        HttpRequest.newBuilder(rabbit.managementUri().resolve("/api/overview"))
            .header(
                "Authorization",
                "Basic "
                    + Base64.getEncoder()
                        .encodeToString(credentials.getBytes(StandardCharsets.UTF_8)))
            .timeout(Duration.ofSeconds(20))
            .build();

    HttpResponse<String> answer =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).contains("rabbitmq_version");
  }

  @Test
  void theNodeOfTheEnvironmentIsUsedButNotHarmed() {
    Map<String, String> environment =
        Map.of(
            "TWINBOX_RABBITMQ",
            rabbit.uri().toString(),
            "TWINBOX_TEST_RABBITMQ_MANAGEMENT",
            "http://127.0.0.1:1");
    RabbitNode node = TestRabbit.choose(environment, Optional::empty, () -> false);

    assertThat(node.amqp()).isEqualTo(rabbit.uri());
    assertThat(node.management()).hasPort(1);
    assertThatThrownBy(node::kill)
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("TWINBOX_RABBITMQ");
  }

  @Test
  void withoutAnyRabbitTheMessageSaysWhatToInstall() {
    assertThatThrownBy(() -> TestRabbit.choose(Map.of(), Optional::empty, () -> false))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("apt-get install rabbitmq-server")
        .hasMessageContaining("Docker")
        .hasMessageContaining("TWINBOX_RABBITMQ=amqp://");
  }

  @Test
  void aFailedCommandSaysWhy() {
    assertThatThrownBy(() -> rabbit.control("no_such_command"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no_such_command");
  }

  private static void publish(Connection connection, String queue, String body) throws Exception {
    try (Channel channel = connection.createChannel()) {
      channel.queueDeclare(queue, true, false, false, null);
      channel.confirmSelect();
      channel.basicPublish(
          "", queue, MessageProperties.PERSISTENT_BASIC, body.getBytes(StandardCharsets.UTF_8));
      channel.waitForConfirmsOrDie(20_000);
    }
  }

  private static String read(Connection connection, String queue) throws Exception {
    try (Channel channel = connection.createChannel()) {
      GetResponse response = channel.basicGet(queue, true);
      return response == null ? "" : new String(response.getBody(), StandardCharsets.UTF_8);
    }
  }
}
