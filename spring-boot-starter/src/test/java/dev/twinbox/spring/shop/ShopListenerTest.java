package dev.twinbox.spring.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.spring.InboxHeader;
import dev.twinbox.spring.InboxListener;
import dev.twinbox.spring.OutboxMessage;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import dev.twinbox.testkit.TestRabbit;
import jakarta.persistence.EntityManager;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.springframework.amqp.core.Queue;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.persistence.autoconfigure.EntityScan;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** From enqueue through Kafka and RabbitMQ to methods that write by JPA, in one service. */
final class ShopListenerTest {
  private static final TestDatabase DATABASE = TestPostgres.shared().createDatabase();
  private static final AtomicInteger ATTEMPTS = new AtomicInteger();
  private static final ConfigurableApplicationContext SERVICE = start();

  private final Outbox outbox = SERVICE.getBean(Outbox.class);
  private final JdbcClient jdbc = SERVICE.getBean(JdbcClient.class);
  private final TransactionTemplate transaction =
      new TransactionTemplate(SERVICE.getBean(PlatformTransactionManager.class));

  /** Paid for through RabbitMQ. */
  @OutboxMessage(to = "rabbitmq:/paid", type = "order.paid", key = "id")
  record OrderPaid(String id) {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @EntityScan
  static class Shop {
    @Bean
    Queue paid() {
      return new Queue("paid");
    }

    @Bean
    Listeners listeners(EntityManager jpa) {
      return new Listeners(jpa);
    }
  }

  static class Listeners {
    private final EntityManager jpa;

    Listeners(EntityManager jpa) {
      this.jpa = jpa;
    }

    @InboxListener(destination = "${shop.orders}", type = "order.placed")
    void placed(OrderPlaced order, Delivery delivery, @InboxHeader("none") @Nullable String none) {
      jpa.persist(new Purchase(order.id() + delivery.type() + none));
      if (order.id().equals("failing") && ATTEMPTS.incrementAndGet() < 3) {
        throw new IllegalStateException("Not yet");
      }
    }

    @InboxListener(queue = "paid")
    void paid(OrderPaid order) {
      jpa.persist(new Purchase("paid-" + order.id()));
    }
  }

  private static ConfigurableApplicationContext start() {
    TestKafka kafka = TestKafka.shared();
    TestRabbit rabbit = TestRabbit.shared();
    kafka.createTopic("orders", 1);
    return new SpringApplicationBuilder(Shop.class)
        .web(WebApplicationType.NONE)
        .properties(
            "spring.application.name=shop",
            "shop.orders=kafka:orders",
            "spring.datasource.url=" + DATABASE.jdbcUrl(),
            "spring.datasource.username=" + DATABASE.user(),
            "spring.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
            "spring.rabbitmq.addresses=" + rabbit.uri(),
            "spring.jpa.hibernate.ddl-auto=update",
            "spring.main.banner-mode=off",
            "twinbox.development=true",
            "twinbox.inbox.backoff.first=100ms")
        .run();
  }

  @AfterAll
  static void stop() {
    SERVICE.close();
  }

  @Test
  void messagesReachListenersThroughKafkaAndRabbitMq() {
    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(new OrderPlaced("1", 5));
          outbox.enqueue(new OrderPaid("1"));
        });
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(() -> assertThat(purchases()).contains("1order.placednull", "paid-1"));
  }

  /** Rows by JPA are rolled back with the message's id. */
  @Test
  void aListenerThatThrowsLeavesNothingAndIsCalledAgain() {
    transaction.executeWithoutResult(status -> outbox.enqueue(new OrderPlaced("failing", 5)));
    await()
        .atMost(Duration.ofMinutes(2))
        .untilAsserted(
            () ->
                assertThat(purchases())
                    .filteredOn(id -> id.startsWith("failing"))
                    .containsExactly("failingorder.placednull"));
    assertThat(ATTEMPTS).hasValue(3);
  }

  @Test
  void aDuplicateChangesNothingAndAFailedFlushIsAFailure() {
    Inbox inbox = SERVICE.getBean(Inbox.class);
    EntityManager jpa = SERVICE.getBean(EntityManager.class);
    Delivery delivery = delivery("0192f0c1-7b1a-7000-8000-000000000001");
    assertThat(inbox.receive(delivery, (it, work) -> jpa.persist(new Purchase("once"))))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(delivery, (it, work) -> jpa.persist(new Purchase("twice"))))
        .isInstanceOf(Receipt.Duplicate.class);
    // Hibernate inserts at the commit, which violates the primary key
    assertThat(
            inbox.receive(
                delivery("0192f0c1-7b1a-7000-8000-000000000002"),
                (it, work) -> jpa.persist(new Purchase("once"))))
        .isInstanceOf(Receipt.Failed.class);
    assertThat(purchases()).contains("once").doesNotContain("twice");
  }

  private static Delivery delivery(String id) {
    return Delivery.builder().id(id).type("t").origin("kafka:test/0/" + id).build();
  }

  @Test
  void theServiceIsHealthy() {
    await()
        .atMost(Duration.ofMinutes(1))
        .untilAsserted(
            () ->
                assertThat(
                        SERVICE.getBean("twinboxHealthIndicator", HealthIndicator.class).health())
                    .isNotNull()
                    .extracting(Health::getStatus)
                    .isEqualTo(Status.UP));
  }

  private List<String> purchases() {
    return jdbc.sql("select id from purchase").query(String.class).list();
  }
}
