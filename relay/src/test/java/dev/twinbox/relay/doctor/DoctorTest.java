package dev.twinbox.relay.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Examining;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.ServerExamination;
import dev.twinbox.broker.doctor.Severity;
import dev.twinbox.inbox.doctor.InboxExamination;
import dev.twinbox.kafka.doctor.KafkaCheck;
import dev.twinbox.kafka.publisher.KafkaBroker;
import dev.twinbox.rabbitmq.doctor.RabbitCheck;
import dev.twinbox.relay.store.SchemaGuard;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import dev.twinbox.testkit.TestRabbit;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Unsafe settings on real servers, each refused; and good ones, each passed. */
class DoctorTest {
  private static final Map<String, String> SAFE =
      Map.of("min.insync.replicas", "2", "unclean.leader.election.enable", "false");

  private static TestKafka kafka;
  private static TestPostgres careless;
  private static TestPostgres replica;

  @BeforeAll
  static void start() {
    kafka = TestKafka.start(3);
    careless =
        TestPostgres.builder().setting("fsync", "off").setting("full_page_writes", "off").start();
    replica = TestPostgres.start();
    UnsafeDatabase postgres = UnsafeDatabase.on(replica);
    postgres.execute(
        "copy (select) to '%s/standby.signal'".formatted(postgres.text("show data_directory")));
    replica.restart();
  }

  @AfterAll
  static void stop() {
    replica.close();
    careless.close();
    kafka.close();
  }

  /** A setting and what the doctor has to say of it. */
  record Case(String name, Check expected, Supplier<Diagnosis> examine) {
    @Override
    public String toString() {
      return name;
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unsafe")
  void anUnsafeSettingIsRefusedWithItsValueAndRemedy(Case unsafe) {
    Diagnosis diagnosis = unsafe.examine().get();

    assertThat(diagnosis.exitCode()).isEqualTo(2);
    Finding finding = found(diagnosis, unsafe.expected(), Severity.DANGER);
    assertThat(finding.value()).isNotBlank();
    assertThat(finding.risk()).isNotBlank();
    assertThat(finding.remedy()).isNotBlank();
    assertThatThrownBy(() -> diagnosis.refuse("Relay r"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll(
            "Relay r does not start", finding.code(), finding.value(), finding.remedy());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("good")
  void aGoodSettingPasses(Case good) {
    Diagnosis diagnosis = good.examine().get();

    assertThat(diagnosis.findings()).isNotEmpty();
    assertThat(diagnosis.findings())
        .noneMatch(f -> f.severity() == Severity.DANGER || f.severity() == Severity.UNKNOWN);
    diagnosis.refuse("Relay r");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("noticed")
  void whatDoesNotHinderASafeStartIsSaidAllTheSame(Case noticed) {
    Diagnosis diagnosis = noticed.examine().get();

    assertThat(diagnosis.exitCode()).isPositive();
    assertThat(diagnosis.findings()).extracting(Finding::check).contains(noticed.expected());
    diagnosis.refuse("Relay r");
  }

  static Stream<Case> unsafe() {
    return Stream.of(
            unsafeDatabases(),
            unsafeTopics(),
            unsafeGroups(),
            unsafeQueues(),
            unsafeDeadLettering())
        .flatMap(Function.identity());
  }

  private static Stream<Case> unsafeDatabases() {
    return Stream.of(
        new Case(
            "the server is a replica",
            CommonCheck.REPLICA,
            () ->
                new Doctor()
                    .outbox(replica.dataSource(), UnsafeDatabase.TABLES)
                    .examine(List.of())),
        new Case("fsync is off", CommonCheck.FSYNC_OFF, () -> UnsafeDatabase.on(careless).outbox()),
        new Case(
            "full_page_writes is off",
            CommonCheck.FULL_PAGE_WRITES_OFF,
            () -> UnsafeDatabase.on(careless).inbox()),
        new Case(
            "the encoding is LATIN1",
            CommonCheck.DATABASE_ENCODING,
            () -> UnsafeDatabase.in("LATIN1").outbox()),
        new Case(
            "the encoding is SQL_ASCII",
            CommonCheck.DATABASE_ENCODING,
            () -> UnsafeDatabase.in("SQL_ASCII").inbox()),
        new Case(
            "there are no tables",
            CommonCheck.SCHEMA_MISSING,
            () -> new UnsafeDatabase(TestPostgres.shared().createDatabase()).outbox()),
        database(
            "the tables are too old",
            CommonCheck.SCHEMA_TOO_OLD,
            "delete from twinbox.schema_version where version > 1"),
        database(
            "the tables are too new",
            CommonCheck.SCHEMA_TOO_NEW,
            "insert into twinbox.schema_version (version, serves_code_from) values (99, 98)"),
        database(
            "the sequence caches",
            CommonCheck.SEQUENCE_CHANGED,
            "alter sequence twinbox.outbox_position cache 20"),
        database(
            "the sequence skips",
            CommonCheck.SEQUENCE_CHANGED,
            "alter sequence twinbox.outbox_position increment by 2"),
        database(
            "the sequence cycles",
            CommonCheck.SEQUENCE_CHANGED,
            "alter sequence twinbox.outbox_position cycle"),
        database(
            "a position may be drawn before the xid",
            CommonCheck.COLUMN_DEFAULT_CHANGED,
            "alter table twinbox.outbox alter position set default"
                + " nextval('twinbox.outbox_position')"),
        database(
            "a row does not get its transaction's xid",
            CommonCheck.COLUMN_DEFAULT_CHANGED,
            "alter table twinbox.outbox alter xid set default '3'"),
        database(
            "a lane has no row",
            CommonCheck.LANE_MISSING,
            "delete from twinbox.outbox_lane where lane = 2"),
        database(
            "a leaf of the ring is gone",
            CommonCheck.RING_LEAF_MISSING,
            "alter table twinbox.outbox detach partition twinbox.outbox_3"),
        clock("this machine is half a day ahead", Duration.ofHours(13)),
        new Case(
            "the role has no rights",
            CommonCheck.GRANT_MISSING,
            () ->
                new Doctor()
                    .outbox(UnsafeDatabase.with().newRole(), UnsafeDatabase.TABLES)
                    .examine(List.of())),
        new Case(
            "the relay cannot ask what waits",
            CommonCheck.GRANT_MISSING,
            () ->
                UnsafeDatabase.with(
                        "drop function twinbox.outbox_waiting(integer[], pg_snapshot[], bigint[])")
                    .outbox()),
        new Case(
            "a consumer's role may not use the inbox",
            CommonCheck.GRANT_MISSING,
            () ->
                UnsafeDatabase.inbox(new Doctor(), UnsafeDatabase.with().relay())
                    .examine(List.of())),
        new Case(
            "the inbox has lost its key",
            CommonCheck.INBOX_KEY_MISSING,
            () ->
                UnsafeDatabase.with("alter table twinbox.inbox drop constraint inbox_pkey")
                    .inbox()));
  }

  private static Stream<Case> unsafeTopics() {
    return Stream.of(
        topic("a topic has one replica", KafkaCheck.REPLICATION_FACTOR, 1, Map.of()),
        topic(
            "one replica in sync is enough",
            KafkaCheck.MIN_INSYNC_REPLICAS,
            3,
            Map.of("min.insync.replicas", "1")),
        topic(
            "a replica that lags may lead",
            KafkaCheck.UNCLEAN_ELECTION,
            3,
            Map.of("unclean.leader.election.enable", "true")),
        topic(
            "a topic keeps messages for an hour",
            KafkaCheck.RETENTION_TOO_SHORT,
            3,
            Map.of("retention.ms", "3600000")),
        new Case(
            "messages without a key wait for a compacted topic",
            KafkaCheck.TOPIC_COMPACTED,
            () -> {
              String topic = newTopic(3, Map.of("cleanup.policy", "compact"));
              UnsafeDatabase database = UnsafeDatabase.with().waiting("kafka:" + topic, null);
              return kafka(
                  new Doctor().outbox(database.dataSource(), UnsafeDatabase.TABLES), Map.of());
            }));
  }

  private static Stream<Case> unsafeGroups() {
    return Stream.of(
        new Case(
            "a group without offsets begins at the end",
            KafkaCheck.OFFSET_RESET,
            () ->
                kafka(
                    new Doctor().consumed("kafka", newName(), List.of(newTopic(3, Map.of()))),
                    Map.of("auto.offset.reset", "latest"))));
  }

  private static Stream<Case> unsafeQueues() {
    return Stream.of(
        rabbit(
            "an exchange is not durable",
            RabbitCheck.EXCHANGE_NOT_DURABLE,
            r -> {
              r.queue("q", Map.of());
              String destination = r.exchange("x", "topic", false, Map.of());
              r.bind("q", "x", "#");
              return destination;
            }),
        rabbit(
            "a queue is not durable",
            RabbitCheck.QUEUE_NOT_DURABLE,
            r -> bound(r, r.queue("q", false, false, false, Map.of()))),
        rabbit(
            "the default exchange leads to a queue that is not durable",
            RabbitCheck.QUEUE_NOT_DURABLE,
            r -> "rabbitmq:/" + r.queue("q", false, false, false, Map.of())),
        rabbit(
            "a queue goes with its last consumer",
            RabbitCheck.QUEUE_TEMPORARY,
            r -> bound(r, r.queue("q", true, false, true, Map.of()))),
        rabbit(
            "a queue goes with its connection",
            RabbitCheck.QUEUE_TEMPORARY,
            r -> bound(r, r.queue("q", true, true, false, Map.of()))),
        rabbit(
            "a queue goes when it is not used",
            RabbitCheck.QUEUE_TEMPORARY,
            r -> bound(r, r.queue("q", Map.of("x-expires", 600_000)))),
        rabbit(
            "a full queue drops its oldest messages",
            RabbitCheck.QUEUE_DROPS_OLDEST,
            r -> bound(r, r.queue("q", Map.of("x-max-length", 1_000)))),
        rabbit(
            "by policy a full queue drops its oldest messages",
            RabbitCheck.QUEUE_DROPS_OLDEST,
            r -> {
              r.policy("policies", "q", "{\"max-length-bytes\":1000000}");
              return bound(r, r.quorum("q", Map.of()));
            }),
        rabbit(
            "by the operator's policy a full queue drops its oldest messages",
            RabbitCheck.QUEUE_DROPS_OLDEST,
            r -> {
              r.policy("operator-policies", "q", "{\"max-length\":1000}");
              return bound(r, r.queue("q", Map.of()));
            }),
        rabbit(
            "messages expire in a queue without a dead-letter exchange",
            RabbitCheck.MESSAGE_TTL,
            r -> bound(r, r.queue("q", Map.of("x-message-ttl", 60_000)))),
        rabbit(
            "by policy messages expire in a queue without a dead-letter exchange",
            RabbitCheck.MESSAGE_TTL,
            r -> {
              r.policy("policies", "q", "{\"message-ttl\":60000}");
              return bound(r, r.queue("q", Map.of()));
            }),
        rabbit(
            "what has no route goes to an alternate exchange",
            RabbitCheck.ALTERNATE_EXCHANGE,
            r -> {
              r.quorum("q", Map.of());
              String destination =
                  r.exchange("x", "topic", true, Map.of("alternate-exchange", "amq.fanout"));
              r.bind("q", "x", "#");
              return destination;
            }),
        rabbit(
            "by policy what has no route goes to an alternate exchange",
            RabbitCheck.ALTERNATE_EXCHANGE,
            r -> {
              r.policy("policies", "x", "{\"alternate-exchange\":\"amq.fanout\"}");
              return bound(r, r.quorum("q", Map.of()));
            }),
        rabbit(
            "a queue behind two exchanges is not durable",
            RabbitCheck.QUEUE_NOT_DURABLE,
            r -> {
              r.queue("q", false, false, false, Map.of());
              r.exchange("inner", "direct", true, Map.of());
              r.bind("q", "inner", "order.placed");
              String destination = r.exchange("x");
              r.bindExchange("inner", "x", "order.*");
              return destination;
            }));
  }

  private static Stream<Case> unsafeDeadLettering() {
    return Stream.of(
        rabbit(
            "a delivery limit without a dead-letter exchange",
            RabbitCheck.DELIVERY_LIMIT,
            r -> bound(r, r.quorum("q", Map.of("x-delivery-limit", 5)))),
        rabbit(
            "the dead-letter exchange does not exist",
            RabbitCheck.DEAD_LETTER_EXCHANGE_MISSING,
            r ->
                bound(
                    r,
                    r.quorum(
                        "q",
                        Map.of("x-delivery-limit", 5, "x-dead-letter-exchange", r.name("no"))))),
        rabbit(
            "the dead-letter exchange leads nowhere",
            RabbitCheck.DEAD_LETTER_NO_ROUTE,
            r -> {
              r.exchange("dead");
              return bound(r, r.quorum("q", Map.of("x-dead-letter-exchange", r.name("dead"))));
            }),
        rabbit(
            "the dead-letter routing key leads nowhere",
            RabbitCheck.DEAD_LETTER_NO_ROUTE,
            r ->
                bound(
                    r,
                    r.quorum(
                        "q",
                        Map.of(
                            "x-dead-letter-exchange",
                            "",
                            "x-dead-letter-routing-key",
                            r.name("no"))))),
        rabbit(
            "a quorum queue dead-letters at most once",
            RabbitCheck.DEAD_LETTER_AT_MOST_ONCE,
            r -> {
              deadLetters(r);
              return bound(
                  r,
                  r.quorum(
                      "q",
                      Map.of("x-delivery-limit", 5, "x-dead-letter-exchange", r.name("dead"))));
            }),
        rabbit(
            "a classic queue dead-letters what expires",
            RabbitCheck.DEAD_LETTER_AT_MOST_ONCE,
            r -> {
              deadLetters(r);
              return bound(
                  r,
                  r.queue(
                      "q",
                      Map.of("x-message-ttl", 60_000, "x-dead-letter-exchange", r.name("dead"))));
            }),
        rabbit(
            "at-least-once dead-lettering whose full queue drops",
            RabbitCheck.DEAD_LETTER_AT_MOST_ONCE,
            r -> {
              deadLetters(r);
              Map<String, Object> arguments = new HashMap<>(atLeastOnce(r));
              arguments.put("x-overflow", "drop-head");
              return bound(r, r.quorum("q", arguments));
            }));
  }

  static Stream<Case> good() {
    return Stream.of(
        new Case("a migrated database", CommonCheck.EXAMINED, () -> UnsafeDatabase.with().outbox()),
        new Case(
            "the relay's granted role",
            CommonCheck.EXAMINED,
            () ->
                new Doctor()
                    .outbox(UnsafeDatabase.with().relay(), UnsafeDatabase.TABLES)
                    .examine(List.of())),
        new Case(
            "a consumer's granted role",
            CommonCheck.EXAMINED,
            () ->
                UnsafeDatabase.inbox(new Doctor(), UnsafeDatabase.with().consumer())
                    .examine(List.of())),
        topic("three replicas, two in sync", CommonCheck.EXAMINED, 3, Map.of()),
        topic("a topic that keeps all", CommonCheck.EXAMINED, 3, Map.of("retention.ms", "-1")),
        new Case(
            "messages with keys wait for a compacted topic",
            CommonCheck.EXAMINED,
            () -> {
              String topic = newTopic(3, Map.of("cleanup.policy", "compact"));
              UnsafeDatabase database = UnsafeDatabase.with().waiting("kafka:" + topic, "k");
              return kafka(
                  new Doctor().outbox(database.dataSource(), UnsafeDatabase.TABLES), Map.of());
            }),
        new Case(
            "a group within its topic",
            CommonCheck.EXAMINED,
            () -> {
              String topic = newTopic(3, Map.of());
              String group = commit(topic, 0);
              return kafka(new Doctor().consumed("kafka", group, List.of(topic)), Map.of());
            }),
        rabbit("a quorum queue", CommonCheck.EXAMINED, r -> bound(r, r.quorum("q", Map.of()))),
        rabbit(
            "a queue by the default exchange",
            CommonCheck.EXAMINED,
            r -> "rabbitmq:/" + r.queue("q", Map.of())),
        rabbit(
            "a full queue that refuses",
            CommonCheck.EXAMINED,
            r ->
                bound(
                    r,
                    r.queue("q", Map.of("x-max-length", 1_000, "x-overflow", "reject-publish")))),
        rabbit(
            "at-least-once dead-lettering",
            CommonCheck.EXAMINED,
            r -> {
              deadLetters(r);
              return bound(r, r.quorum("q", atLeastOnce(r)));
            }),
        rabbit(
            "the development topology, with the delivery limit that RabbitMQ 4 has by itself",
            CommonCheck.EXAMINED,
            r -> {
              String queue = r.topology("q");
              r.policy("policies", "q", "{\"delivery-limit\": 20}");
              return "rabbitmq:/" + queue;
            }),
        rabbit(
            "a temporary tap beside a durable queue",
            CommonCheck.EXAMINED,
            r -> {
              r.queue("tap", false, false, true, Map.of());
              String destination = bound(r, r.quorum("q", Map.of()));
              r.bind("tap", "x", "#");
              return destination;
            }),
        rabbit(
            "a temporary queue that these messages do not reach",
            CommonCheck.EXAMINED,
            r -> {
              r.queue("other", false, false, false, Map.of("x-max-length", 1));
              String destination = bound(r, r.quorum("q", Map.of()));
              r.bind("other", "x", "invoice.#");
              return destination;
            }),
        rabbit(
            "a stream",
            CommonCheck.EXAMINED,
            r -> bound(r, r.queue("q", Map.of("x-queue-type", "stream")))));
  }

  static Stream<Case> noticed() {
    return Stream.of(
        database(
            "the database was restored",
            CommonCheck.RESTORED_CLUSTER,
            "update twinbox.outbox_cluster set system_identifier = 1"),
        database(
            "an index is gone",
            CommonCheck.INDEX_MISSING,
            "drop index twinbox.outbox_lane_position"),
        database("forgotten transactions stay", CommonCheck.IDLE_TRANSACTIONS_UNLIMITED),
        clock("this machine is a minute behind", Duration.ofMinutes(-1)),
        new Case(
            "a transaction is open for long",
            CommonCheck.LONG_TRANSACTION,
            () -> {
              UnsafeDatabase database = UnsafeDatabase.with();
              try (Connection open = database.dataSource().getConnection()) {
                open.setAutoCommit(false);
                open.createStatement().execute("select 1");
                return server(database.dataSource(), InstantSource.system(), Duration.ZERO);
              } catch (SQLException e) {
                throw new IllegalStateException(e);
              }
            }),
        new Case(
            "a role does not see others' transactions",
            CommonCheck.LONG_TRANSACTION,
            () ->
                server(
                    UnsafeDatabase.with().newRole(),
                    InstantSource.system(),
                    Duration.ofMinutes(10))),
        new Case(
            "RabbitMQ has raised an alarm",
            CommonCheck.ALARM,
            () -> {
              TestRabbit.shared().raiseMemoryAlarm();
              try (UnsafeRabbit rabbit = new UnsafeRabbit();
                  Broker broker = rabbit.broker()) {
                // The management interface shows nodes some seconds late.
                return Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(
                        () -> new Doctor().examine(List.of(broker)),
                        found -> found.worst() == Severity.WARNING);
              } finally {
                TestRabbit.shared().clearMemoryAlarm();
              }
            }),
        new Case(
            "no days are made ahead",
            CommonCheck.INBOX_DAY_MISSING,
            () ->
                UnsafeDatabase.with("delete from twinbox.inbox_day where day >= current_date")
                    .inbox()),
        new Case(
            "the topic does not exist",
            KafkaCheck.TOPIC_MISSING,
            () -> kafka(new Doctor().destination("kafka:" + newName()), Map.of())),
        topic(
            "all replicas are needed",
            KafkaCheck.ALL_REPLICAS_NEEDED,
            3,
            Map.of("min.insync.replicas", "3")),
        topic(
            "a topic is bounded by size",
            KafkaCheck.RETENTION_BY_SIZE,
            3,
            Map.of("retention.bytes", "9")),
        topic(
            "a topic keeps messages for two days",
            KafkaCheck.RETENTION_TOO_SHORT,
            3,
            Map.of("retention.ms", "172800000")),
        topic(
            "a topic takes small messages only",
            KafkaCheck.MESSAGE_SIZE_LIMIT,
            3,
            Map.of("max.message.bytes", "10000")),
        new Case(
            "messages were deleted unread",
            KafkaCheck.OFFSET_EXPIRED,
            () -> {
              String topic = newTopic(3, Map.of());
              String group = commit(topic, 0);
              produceAndDelete(topic);
              return kafka(new Doctor().consumed("kafka", group, List.of(topic)), Map.of());
            }),
        new Case(
            "the topic was deleted and made again",
            KafkaCheck.OFFSET_BEYOND_END,
            () -> {
              String topic = newTopic(3, Map.of());
              return kafka(
                  new Doctor().consumed("kafka", commit(topic, 100), List.of(topic)), Map.of());
            }),
        new Case(
            "a topic keeps more than the inbox remembers",
            KafkaCheck.RETENTION_BEYOND_HORIZON,
            () ->
                kafka(
                    new Doctor()
                        .consumed(
                            "kafka", newName(), List.of(newTopic(3, Map.of("retention.ms", "-1")))),
                    Map.of())),
        new Case(
            "no Kafka answers",
            CommonCheck.BROKER_UNREACHABLE,
            () ->
                kafka(
                    new Doctor().destination("kafka:any"),
                    Map.of("bootstrap.servers", "127.0.0.1:1"))),
        new Case(
            "the destination's broker is not configured",
            CommonCheck.BROKER_NOT_CONFIGURED,
            () -> new Doctor().destination("kafka@billing:any").examine(List.of())),
        rabbit("the exchange does not exist", RabbitCheck.EXCHANGE_MISSING, r -> "rabbitmq:no/key"),
        rabbit("nothing is bound", RabbitCheck.NO_ROUTE, r -> r.exchange("x")),
        rabbit(
            "the binding is for other keys",
            RabbitCheck.NO_ROUTE,
            r -> {
              String destination = r.exchange("x", "direct", true, Map.of());
              r.quorum("q", Map.of());
              r.bind("q", "x", "order.cancelled");
              return destination;
            }),
        rabbit(
            "several consumers would break the order",
            RabbitCheck.NO_SINGLE_ACTIVE_CONSUMER,
            r -> bound(r, r.queue("q", Map.of()))),
        rabbit(
            "a queue has one copy",
            RabbitCheck.QUEUE_NOT_REPLICATED,
            r -> bound(r, r.queue("q", Map.of()))),
        new Case(
            "a queue's own patience cannot be read",
            RabbitCheck.CONSUMER_TIMEOUT,
            () -> {
              try (UnsafeRabbit rabbit = new UnsafeRabbit();
                  Broker broker = rabbit.broker()) {
                return new Doctor()
                    .consumed("rabbitmq", rabbit.quorum("q", Map.of()), List.of())
                    .examine(List.of(broker));
              }
            }),
        new Case(
            "a queue does not exist",
            RabbitCheck.QUEUE_MISSING,
            () -> {
              try (UnsafeRabbit rabbit = new UnsafeRabbit();
                  Broker broker = rabbit.broker()) {
                return new Doctor().consumed("rabbitmq", "no", List.of()).examine(List.of(broker));
              }
            }));
  }

  @Test
  void bothSidesAgreeOnTheVersionOfTheTables() {
    assertThat(InboxExamination.CODE_VERSION).isEqualTo(SchemaGuard.CODE_VERSION);
  }

  private static Case clock(String name, Duration ahead) {
    InstantSource wrong = InstantSource.offset(InstantSource.system(), ahead);
    return new Case(
        name,
        CommonCheck.CLOCK_SKEW,
        () -> server(UnsafeDatabase.with().dataSource(), wrong, Duration.ofMinutes(10)));
  }

  private static Diagnosis server(DataSource dataSource, InstantSource clock, Duration longest) {
    return new Diagnosis(
        Examining.database(
            dataSource,
            "database",
            connection -> new ServerExamination(clock, longest).examine(connection)));
  }

  private static Case database(String name, Check expected, String... changes) {
    return new Case(name, expected, () -> UnsafeDatabase.with(changes).outbox());
  }

  private static Case topic(
      String name, Check expected, int replicas, Map<String, String> settings) {
    return new Case(
        name,
        expected,
        () -> kafka(new Doctor().destination("kafka:" + newTopic(replicas, settings)), Map.of()));
  }

  private static Case rabbit(String name, Check expected, Function<UnsafeRabbit, String> declare) {
    return new Case(
        name,
        expected,
        () -> {
          try (UnsafeRabbit rabbit = new UnsafeRabbit();
              Broker broker = rabbit.broker()) {
            return new Doctor().destination(declare.apply(rabbit)).examine(List.of(broker));
          }
        });
  }

  /** Binds this queue, which is {@code q}, to a durable topic exchange by every routing key. */
  private static String bound(UnsafeRabbit rabbit, String queue) {
    assertThat(queue).isEqualTo(rabbit.name("q"));
    String destination = rabbit.exchange("x");
    rabbit.bind("q", "x", "#");
    return destination;
  }

  private static void deadLetters(UnsafeRabbit rabbit) {
    rabbit.exchange("dead");
    rabbit.quorum("dead", Map.of());
    rabbit.bind("dead", "dead", "#");
  }

  private static Map<String, Object> atLeastOnce(UnsafeRabbit rabbit) {
    return Map.of(
        "x-delivery-limit",
        5,
        "x-dead-letter-exchange",
        rabbit.name("dead"),
        "x-dead-letter-strategy",
        "at-least-once",
        "x-overflow",
        "reject-publish");
  }

  private static Diagnosis kafka(Doctor doctor, Map<String, String> more) {
    Properties properties = new Properties();
    properties.setProperty("bootstrap.servers", kafka.bootstrapServers());
    properties.putAll(more);
    try (Broker broker = KafkaBroker.named("kafka").properties(properties).build()) {
      return doctor.examine(List.of(broker));
    }
  }

  private static String newTopic(int replicas, Map<String, String> more) {
    String topic = newName();
    Map<String, String> settings = new HashMap<>(SAFE);
    settings.putAll(more);
    if (replicas == 1) {
      settings.remove("min.insync.replicas");
    }
    kafka.createTopic(topic, 1, replicas, settings);
    return topic;
  }

  private static String newName() {
    return "t-" + UUID.randomUUID();
  }

  /** A group that has come so far. */
  private static String commit(String topic, long offset) {
    String group = newName();
    await(
        () ->
            kafka
                .admin()
                .alterConsumerGroupOffsets(
                    group, Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(offset)))
                .all()
                .get());
    return group;
  }

  private static void produceAndDelete(String topic) {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < 10; i++) {
        await(() -> producer.send(new ProducerRecord<>(topic, new byte[1])).get());
      }
    }
    await(
        () ->
            kafka
                .admin()
                .deleteRecords(
                    Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(5)))
                .all()
                .get());
  }

  private interface Answer {
    @Nullable Object get() throws Exception;
  }

  private static void await(Answer answer) {
    try {
      Object unused = answer.get();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static Finding found(Diagnosis diagnosis, Check check, Severity severity) {
    return diagnosis.findings().stream()
        .filter(f -> f.check() == check && f.severity() == severity)
        .findFirst()
        .orElseThrow(() -> new AssertionError(check + " is not in " + diagnosis.findings()));
  }
}
