package dev.twinbox.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import dev.twinbox.relay.MemoryBroker;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import dev.twinbox.testkit.TestRabbit;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command: its exit codes, its two forms, watching, consumers, and the worker's port. */
class StatusCommandTest {
  @TempDir Path folder;

  private final TestDatabase fresh = TestPostgres.shared().createDatabase();
  private final OutboxDatabase database = new OutboxDatabase(fresh, 1_000, 4);

  @AfterEach
  void close() {
    database.close();
  }

  @Tag("essential")
  @Test
  void theExitCodeFollowsTheVerdictAndTheThresholds() throws SQLException, IOException {
    Ran well = status();
    assertThat(well.exitCode()).as(well.err()).isZero();
    assertThat(well.out()).contains("Verdict: ok", "No relay is running.", "Ring: 0 of 4 leaves");

    database.commitOne(0, "k");
    Ran waiting = status();
    assertThat(waiting.exitCode()).isEqualTo(2);
    assertThat(waiting.out())
        .contains("Verdict: critical", "  critical  No relay is alive; 1 waiting, oldest ")
        .containsPattern("kafka:test +1 +\\d");

    database.execute(
        "truncate twinbox.outbox; insert into twinbox.outbox_dead_letter (lane, position, id,"
            + " created_at, destination, type, reason, attempts, first_failed_at) values (0, 1,"
            + " gen_random_uuid(), clock_timestamp(), 'kafka:test', 't', 'expired', 1,"
            + " clock_timestamp()); insert into twinbox.outbox_relay (relay, alive_until) values"
            + " ('r', clock_timestamp() + interval '1 hour')");
    assertThat(status().exitCode()).isEqualTo(1);
    assertThat(status("--max-dead-letters", "1").exitCode()).isZero();
    JsonNode json = JsonMapper.builder().build().readTree(status("--json").out());
    assertThat(json.get("verdict").asText()).isEqualTo("warning");
    assertThat(json.get("exitCode").asInt()).isEqualTo(1);
    assertThat(json.get("causes").get(0).get("code").asText()).isEqualTo("dead-letters");
    assertThat(json.get("destinations").get(0).get("expired").asInt()).isEqualTo(1);
    assertThat(json.get("ring").get("leaves").asInt()).isEqualTo(4);
    assertThat(status("--max-age", "soon").exitCode()).isEqualTo(2);
    assertThat(status("--max-age", "soon").err()).contains("as in 30s");
  }

  @Test
  void watchingPrintsALineOfJsonAtATimeUntilItIsInterrupted() throws Exception {
    StringWriter out = new StringWriter();
    List<String> arguments =
        new ArrayList<>(List.of("status", "--json", "--watch", "1", "--db-url", fresh.jdbcUrl()));
    arguments.addAll(List.of("--db-user", fresh.user()));
    Thread watching =
        new Thread(
            () ->
                TwinboxCli.commandLine()
                    .setOut(new PrintWriter(out, true))
                    .setErr(new PrintWriter(new StringWriter(), true))
                    .execute(arguments.toArray(String[]::new)));
    watching.start();
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> out.toString().lines().filter(l -> l.startsWith("{\"verdict\"")).count() >= 2);
    watching.interrupt();
    watching.join(10_000);
    assertThat(watching.isAlive()).isFalse();
    assertThat(out.toString().lines()).allMatch(line -> line.endsWith("}"));
  }

  @Tag("essential")
  @Test
  void consumersOfKafkaAreMeasuredByPartition() throws Exception {
    TestKafka kafka = TestKafka.shared();
    String topic = "lag-" + UUID.randomUUID();
    kafka.createTopic(topic, 2);
    Map<String, Object> client = Map.of("bootstrap.servers", kafka.bootstrapServers());
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(client, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < 10; i++) {
        producer.send(new ProducerRecord<>(topic, i % 2, null, "x".getBytes(UTF_8))).get();
      }
    }
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers(), "group.id", topic),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      TopicPartition first = new TopicPartition(topic, 0);
      consumer.assign(Set.of(first));
      consumer.commitSync(Map.of(first, new OffsetAndMetadata(3)));
    }

    Ran ran =
        status(
            "--json",
            "--kafka-bootstrap-servers",
            kafka.bootstrapServers(),
            "--group",
            topic,
            "--topic",
            topic);

    JsonNode lag = JsonMapper.builder().build().readTree(ran.out()).get("consumers").get(0);
    assertThat(lag.get("error").isNull()).as("%s", lag).isTrue();
    assertThat(lag.get("lag").asInt()).isEqualTo(7);
    assertThat(lag.get("consumers").asInt()).isZero();
    assertThat(lag.get("partitions").get(0).get("lag").asInt()).isEqualTo(2);
    assertThat(lag.get("partitions").get(1).get("lag").asInt()).isEqualTo(5);
    assertThat(ran.exitCode()).as("nobody consumes").isEqualTo(2);
    assertThat(status("--group", "g").exitCode()).isEqualTo(2);
    assertThat(status("--group", "g", "--topic", "t").err())
        .contains("is not configured", "Set kafka.bootstrap.servers")
        .contains("TWINBOX_KAFKA_BOOTSTRAP_SERVERS");
  }

  @Tag("essential")
  @Test
  void whatAnOpenTransactionOfAnotherProducerWithholdsIsToldWithItsCause() throws Exception {
    TestKafka kafka = TestKafka.shared();
    String topic = "withheld-" + UUID.randomUUID();
    kafka.createTopic(topic, 1);
    TopicPartition partition = new TopicPartition(topic, 0);
    try (KafkaProducer<byte[], byte[]> open =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers(), "transactional.id", topic),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(
                Map.of("bootstrap.servers", kafka.bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        KafkaConsumer<byte[], byte[]> consumer =
            new KafkaConsumer<>(
                Map.of(
                    "bootstrap.servers",
                    kafka.bootstrapServers(),
                    "group.id",
                    topic,
                    "auto.offset.reset",
                    "earliest"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
      open.initTransactions();
      open.beginTransaction();
      open.send(new ProducerRecord<>(topic, 0, null, "x".getBytes(UTF_8))).get();
      producer.send(new ProducerRecord<>(topic, 0, null, "x".getBytes(UTF_8))).get();
      consumer.subscribe(Set.of(topic));
      await().until(() -> consumer.poll(Duration.ofMillis(100)).count() == 2);
      consumer.commitSync(Map.of(partition, new OffsetAndMetadata(0)));

      Ran ran =
          status(
              "--json",
              "--kafka-bootstrap-servers",
              kafka.bootstrapServers(),
              "--group",
              topic,
              "--topic",
              topic);

      JsonNode all = JsonMapper.builder().build().readTree(ran.out());
      JsonNode lag = all.get("consumers").get(0);
      assertThat(lag.get("lag").asInt()).isEqualTo(2);
      assertThat(lag.get("partitions").get(0).get("withheld").asInt()).isEqualTo(2);
      assertThat(ran.out()).contains("consumer-withheld", "open transaction");
      open.abortTransaction();
    }
  }

  @Test
  void queuesOfRabbitMqAreMeasured() throws Exception {
    TestRabbit rabbit = TestRabbit.shared();
    String queue = "lag-" + UUID.randomUUID();
    Path config = Files.writeString(folder.resolve("c.properties"), "rabbitmq.uri=" + rabbit.uri());
    try (Connection connection = rabbit.connectionFactory().newConnection();
        Channel channel = connection.createChannel()) {
      channel.confirmSelect();
      channel.queueDeclare(queue, true, false, false, null);
      for (int i = 0; i < 3; i++) {
        channel.basicPublish("", queue, null, "x".getBytes(UTF_8));
      }
      channel.waitForConfirmsOrDie(10_000);

      Ran ran = status("--config", config.toString(), "--queue", queue);
      assertThat(ran.out())
          .contains("Nobody consumes " + queue)
          .containsPattern("rabbitmq:" + queue + " +" + queue + " +all +3 +0");
      assertThat(ran.exitCode()).isEqualTo(2);
      Ran missing = status("--config", config.toString(), "--queue", queue + "-not");
      assertThat(missing.out()).contains("cannot be read", "unknown");
      assertThat(missing.exitCode()).isEqualTo(1);
      channel.queueDelete(queue);
    }
  }

  @Test
  void theWorkerServesMetricsAndHealth() throws Exception {
    try (MemoryBroker broker = new MemoryBroker();
        Relay relay =
            Relay.builder()
                .dataSource(database.dataSource())
                .broker(broker.borrowed())
                .development()
                .build();
        MetricsServer server = MetricsServer.start("127.0.0.1:0", relay)) {
      assertThat(get(server, "/health").statusCode()).isEqualTo(503);
      relay.start();
      database.commitOne(0, "kafka:orders", "k");

      await()
          .atMost(Duration.ofSeconds(40))
          .untilAsserted(
              () ->
                  assertThat(get(server, "/metrics").body())
                      .contains("twinbox_relay_published_total{destination=\"kafka:orders\"} 1.0")
                      .contains("twinbox_relay_latency_seconds_bucket{destination=\"kafka:orders\"")
                      .contains("twinbox_outbox_ring_leaves 4.0"));
      assertThat(get(server, "/health").statusCode()).isEqualTo(200);
    }
  }

  private static HttpResponse<String> get(MetricsServer server, String path)
      throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path)).build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private Ran status(String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("status", "--db-url", fresh.jdbcUrl(), "--db-user", fresh.user()));
    arguments.addAll(List.of(more));
    return Ran.twinbox(arguments.toArray(String[]::new));
  }
}
