package dev.twinbox.relay.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.doctor.UnsafeSettingsException;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.RelayBuilder;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A relay among settings that could lose messages. */
class RelayGuardTest {
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final String SAFE = "2";
  private static final String UNSAFE = "1";

  private static TestKafka kafka;

  private final UnsafeDatabase database = UnsafeDatabase.with();
  private final Outbox outbox = Outbox.builder().source("/test").build();
  private final List<Relay> relays = new ArrayList<>();

  @BeforeAll
  static void startKafka() {
    kafka = TestKafka.start(2);
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  @AfterEach
  void closeRelays() {
    relays.forEach(Relay::close);
  }

  @Test
  void aRelayRefusesToStartWhereWaitingMessagesCouldBeLostUnlessForDevelopment() {
    String topic = topic(UNSAFE);
    enqueue(topic, 1);

    assertThatThrownBy(() -> start(relay()))
        .isInstanceOf(UnsafeSettingsException.class)
        .hasMessageContainingAll(
            "kafka:" + topic, "min.insync.replicas=1", "add-config min.insync.replicas=2")
        .hasMessageContaining("development()");
    assertThat(kafka.records(topic)).isEmpty();

    start(relay().development());
    await().atMost(LONG).until(() -> kafka.records(topic).size() == 1);
  }

  @Test
  void aRelayRefusesADatabaseWhoseSequenceWasChanged() {
    database.execute("alter sequence twinbox.outbox_position cache 20");

    assertThatThrownBy(() -> start(relay()))
        .isInstanceOf(UnsafeSettingsException.class)
        .hasMessageContainingAll("sequence-changed", "cache 20", "alter sequence");
  }

  @Test
  void aRelayRefusesADatabaseThatIsNotInUtf8UnlessForDevelopment() {
    try (OutboxDatabase latin =
        new OutboxDatabase(TestPostgres.shared().createDatabase("LATIN1"), 1000, 4)) {
      assertThatThrownBy(() -> start(relay().dataSource(latin.dataSource())))
          .isInstanceOf(UnsafeSettingsException.class)
          .hasMessageContainingAll("database-encoding", "LATIN1", "encoding 'UTF8'");
      Relay lowered = start(relay().dataSource(latin.dataSource()).development());
      lowered.close();
    }
  }

  @Test
  void messagesToADestinationThatIsUnsafeWaitAndGoOutInOrderOnceItIsMended() {
    String topic = topic(UNSAFE);
    start(relay());
    enqueue(topic, 20);
    String safe = topic(SAFE);
    // All keys of the first batch are one key, so another lane serves the second.
    enqueueToEveryLane(safe);
    await().atMost(LONG).until(() -> !kafka.records(safe).isEmpty());
    assertThat(kafka.records(topic)).isEmpty();
    assertThat(database.text("select count(*) from twinbox.outbox_dead_letter")).isEqualTo("0");

    alter(topic, SAFE);

    await().atMost(LONG).until(() -> kafka.records(topic).size() == 20);
    assertThat(kafka.records(topic))
        .extracting(record -> new String(record.value(), java.nio.charset.StandardCharsets.UTF_8))
        .isSorted();
    assertThat(database.text("select count(*) from twinbox.outbox_dead_letter")).isEqualTo("0");
  }

  @Test
  void aBrokerThatIsDownDoesNotKeepTheRelayFromStarting() {
    Properties nowhere = new Properties();
    nowhere.setProperty("bootstrap.servers", "127.0.0.1:1");
    Relay relay =
        start(
            Relay.builder()
                .dataSource(database.dataSource())
                .broker(KafkaBroker.named("kafka").properties(nowhere).build()));

    await().atMost(LONG).until(() -> relay.heldLanes().size() == 4);
  }

  private Relay start(RelayBuilder builder) {
    Relay relay = builder.build();
    relays.add(relay);
    return relay.start();
  }

  private RelayBuilder relay() {
    Properties properties = new Properties();
    properties.setProperty("bootstrap.servers", kafka.bootstrapServers());
    Broker broker = KafkaBroker.named("kafka").properties(properties).build();
    return Relay.builder().dataSource(database.dataSource()).broker(broker);
  }

  private static String topic(String insync) {
    String topic = "t-" + UUID.randomUUID();
    kafka.createTopic(topic, 1, 2, Map.of("min.insync.replicas", insync));
    return topic;
  }

  private static void alter(String topic, String insync) {
    try {
      kafka
          .admin()
          .incrementalAlterConfigs(
              Map.of(
                  new ConfigResource(ConfigResource.Type.TOPIC, topic),
                  List.of(
                      new AlterConfigOp(
                          new ConfigEntry("min.insync.replicas", insync),
                          AlterConfigOp.OpType.SET))))
          .all()
          .get();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private void enqueue(String topic, int messages) {
    List<Message> all = new ArrayList<>();
    for (int i = 0; i < messages; i++) {
      all.add(Message.to("kafka:" + topic).key("k").type("t").text(String.valueOf(1_000 + i)));
    }
    enqueue(all);
  }

  private void enqueueToEveryLane(String topic) {
    List<Message> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      all.add(Message.to("kafka:" + topic).key("k" + i).type("t").text("x"));
    }
    enqueue(all);
  }

  private void enqueue(List<Message> messages) {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      outbox.enqueueAll(connection, messages);
      connection.commit();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
