package dev.twinbox.examples.snippets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.ConnectionFactory;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.kafka.consumer.KafkaInboxConsumer;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.rabbitmq.consumer.RabbitInboxConsumer;
import dev.twinbox.rabbitmq.publisher.RabbitBroker;
import dev.twinbox.relay.Relay;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;

/** The README's start, on real servers. */
final class FiveMinuteStartTest {
  private final ShopDatabase shop = new ShopDatabase();

  @Test
  void fromAnOrderToABalanceByKafka() {
    Outbox outbox = Producing.outbox();
    Properties kafka = new Properties();
    try (TestKafka cluster = startKafka(kafka);
        HikariDataSource pool = pool(shop.dataSource);
        Relay relay = Relaying.insideAService(pool, kafka, outbox);
        KafkaInboxConsumer consumer =
            Consuming.onKafka(pool, kafka.getProperty("bootstrap.servers"), Consuming.balances())) {
      JooqOrders orders = new JooqOrders(Producing.wakeOnCommit(pool, outbox), outbox);
      for (int i = 0; i < 20; i++) {
        orders.place(new OrderPlaced("o-" + i, "ann", 100));
      }
      awaitBalance("2000");
      assertThat(relay.counters().publishedCount()).isEqualTo(20);
      assertThat(consumer).isNotNull();
    }
  }

  /** As in production: with topics on one broker, relay and consumer would refuse to start. */
  private static TestKafka startKafka(Properties kafka) {
    TestKafka cluster = TestKafka.start(3);
    kafka.setProperty("bootstrap.servers", cluster.bootstrapServers());
    Relaying.createTopics(kafka);
    return cluster;
  }

  @Test
  void fromAnOrderToABalanceByRabbit() throws Exception {
    ConnectionFactory factory = TestRabbit.shared().connectionFactory();
    Relaying.declareQueues(factory);
    Outbox outbox = Producing.outbox();
    String uri = TestRabbit.shared().uri().toString();
    try (HikariDataSource pool = pool(shop.dataSource);
        Relay relay =
            Relay.builder()
                .dataSource(pool)
                .broker(RabbitBroker.named("rabbitmq").uri(uri).build())
                .build()
                .start();
        RabbitInboxConsumer consumer =
            Consuming.onRabbit(
                Inbox.builder().dataSource(pool).consumer("billing").build(),
                uri,
                Consuming.balances())) {
      shop.db.transaction(
          configuration ->
              outbox.enqueue(
                  configuration.dsl(),
                  Message.to("rabbitmq:shop/order.placed")
                      .type("order.placed")
                      .json(new OrderPlaced("o-1", "ann", 1250))));
      awaitBalance("1250");
      assertThat(relay.name()).isNotEmpty();
      assertThat(consumer).isNotNull();
    }
  }

  /** The three kinds of grants are enough, and the schema may have another name. */
  @Test
  void rolesWithNoMoreThanTheirGrants() {
    String suffix = shop.one("select current_database()").substring(0, 12);
    Migrations migrations = Migrations.defaults().schema("messaging");
    migrations.applyTo(shop.dataSource);
    for (String role : new String[] {"shop_" + suffix, "billing_" + suffix}) {
      shop.db.execute("create role " + role + " login");
    }
    migrations.grantProducer(shop.dataSource, "shop_" + suffix);
    migrations.grantConsumer(shop.dataSource, "billing_" + suffix);
    Outbox outbox = Outbox.builder().source("/shop").schema("messaging").build();
    DSL.using(shop.database.dataSource("shop_" + suffix), SQLDialect.POSTGRES)
        .transaction(
            configuration ->
                outbox.enqueue(
                    configuration.dsl(), Message.to("kafka:orders").type("t").text("hello")));
    assertThat(shop.one("select count(*) from messaging.outbox")).isEqualTo("1");

    Inbox inbox =
        Inbox.builder()
            .dataSource(shop.database.dataSource("billing_" + suffix))
            .consumer("billing")
            .schema("messaging")
            .build();
    assertThat(inbox.receive(ShopDatabase.delivery(), (delivery, work) -> {}).settled()).isTrue();
    assertThat(shop.one("select count(*) from messaging.inbox")).isEqualTo("1");
    assertThat(upkeep(inbox)).isGreaterThanOrEqualTo(0);
  }

  private static int upkeep(Inbox inbox) {
    try {
      return inbox.upkeep().runOnce().daysMade();
    } catch (java.sql.SQLException e) {
      throw new AssertionError("Upkeep needs more than the consumer's grants", e);
    }
  }

  private void awaitBalance(String cents) {
    await()
        .atMost(Duration.ofSeconds(60))
        .untilAsserted(() -> assertThat(shop.one("select cents from account")).isEqualTo(cents));
  }

  private static HikariDataSource pool(DataSource dataSource) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(dataSource);
    config.setMaximumPoolSize(12);
    return new HikariDataSource(config);
  }
}
