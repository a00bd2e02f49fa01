package dev.twinbox.spring.shop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import jakarta.persistence.EntityManager;
import java.util.List;
import java.util.concurrent.Callable;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.persistence.autoconfigure.EntityScan;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** Enqueue in a service that has a pool without auto-commit, JPA, jOOQ and JdbcClient. */
final class ShopEnqueueTest {
  private static final TestDatabase DATABASE = TestPostgres.shared().createDatabase();
  private static final ConfigurableApplicationContext SERVICE = start();

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @EntityScan
  static class Shop {}

  private final Outbox outbox = SERVICE.getBean(Outbox.class);
  private final JdbcClient jdbc = SERVICE.getBean(JdbcClient.class);
  private final EntityManager jpa = SERVICE.getBean(EntityManager.class);
  private final DSLContext jooq = SERVICE.getBean(DSLContext.class);
  private final PlatformTransactionManager manager =
      SERVICE.getBean(PlatformTransactionManager.class);
  private final TransactionTemplate transaction = new TransactionTemplate(manager);

  private static ConfigurableApplicationContext start() {
    return new SpringApplicationBuilder(Shop.class)
        .web(WebApplicationType.NONE)
        .properties(
            "spring.application.name=shop",
            "shop.orders=kafka:orders",
            "spring.datasource.url=" + DATABASE.jdbcUrl(),
            "spring.datasource.username=" + DATABASE.user(),
            "spring.datasource.hikari.auto-commit=false",
            "spring.jpa.hibernate.ddl-auto=update",
            "spring.main.banner-mode=off",
            "twinbox.relay.enabled=false")
        .run();
  }

  @AfterAll
  static void stop() {
    SERVICE.close();
  }

  @BeforeEach
  void clear() {
    transaction.executeWithoutResult(
        status -> {
          jdbc.sql("delete from purchase").update();
          jdbc.sql("delete from twinbox.outbox").update();
        });
  }

  @Test
  void messagesCommitWithRowsOfJdbcJpaAndJooq() {
    transaction.executeWithoutResult(
        status -> {
          jdbc.sql("insert into purchase values ('1')").update();
          outbox.enqueue(placed("1"));
        });
    transaction.executeWithoutResult(
        status -> {
          jpa.persist(new Purchase("2"));
          outbox.enqueue(placed("2"));
        });
    transaction.executeWithoutResult(
        status -> {
          jooq.execute("insert into purchase values ('3')");
          outbox.enqueue(placed("3"));
        });
    transaction.executeWithoutResult(
        status -> outbox.enqueueAll(List.of(placed("4"), placed("5"))));
    assertThat(keys()).containsExactly("1", "2", "3", "4", "5");
    assertThat(purchases()).containsExactly("1", "2", "3");
  }

  @Test
  void eventsAreMessages() {
    transaction.executeWithoutResult(status -> outbox.enqueue(new OrderPlaced("1", 5)));
    transaction.executeWithoutResult(status -> SERVICE.publishEvent(new OrderPlaced("2", 6)));
    assertThat(keys()).containsExactly("1", "2");
    assertThat(
            read(
                "select type || ' to ' || destination || convert_from(payload, 'UTF8') from twinbox.outbox order by position"))
        .containsExactly(
            "order.placed to kafka:orders{\"id\":\"1\",\"cents\":5}",
            "order.placed to kafka:orders{\"id\":\"2\",\"cents\":6}");
    assertThatThrownBy(() -> transaction.execute(status -> outbox.enqueue("no event")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("@OutboxMessage");
    assertThatThrownBy(() -> SERVICE.publishEvent(new OrderPlaced("3", 7)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("in no transaction");
  }

  @Test
  void whatIsRolledBackWasNeverSaid() {
    transaction.executeWithoutResult(
        status -> {
          jpa.persist(new Purchase("1"));
          outbox.enqueue(placed("1"));
          status.setRollbackOnly();
        });
    assertThat(keys()).isEmpty();
    assertThat(purchases()).isEmpty();
  }

  @Test
  void aTransactionOfItsOwnCommitsByItself() {
    TransactionTemplate own = template(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(placed("outer"));
          own.executeWithoutResult(inner -> outbox.enqueue(placed("inner")));
          status.setRollbackOnly();
        });
    assertThat(keys()).containsExactly("inner");
  }

  @Test
  void aSavepointTakesItsMessagesAlong() {
    PlatformTransactionManager ofJdbc =
        new DataSourceTransactionManager(SERVICE.getBean(DataSource.class));
    TransactionTemplate outer = new TransactionTemplate(ofJdbc);
    TransactionTemplate nested = new TransactionTemplate(ofJdbc);
    nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
    outer.executeWithoutResult(
        status -> {
          outbox.enqueue(placed("outer"));
          nested.executeWithoutResult(
              inner -> {
                outbox.enqueue(placed("inner"));
                inner.setRollbackOnly();
              });
        });
    assertThat(keys()).containsExactly("outer");
  }

  @Test
  void outsideOfATransactionItIsRefused() {
    refused("in no transaction", () -> outbox.enqueue(placed("1")));
    refused("in no transaction", () -> outbox.enqueueAll(List.of(placed("1"))));
    template(TransactionDefinition.PROPAGATION_SUPPORTS)
        .executeWithoutResult(
            status -> refused("in no transaction", () -> outbox.enqueue(placed("1"))));
    assertThat(keys()).isEmpty();
  }

  @Test
  void afterTheCommitItIsRefusedByName() {
    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(placed("before"));
          TransactionSynchronizationManager.registerSynchronization(
              new TransactionSynchronization() {
                @Override
                public void afterCommit() {
                  refused("afterCommit", () -> outbox.enqueue(placed("after")));
                }

                @Override
                public void afterCompletion(int end) {
                  refused("afterCompletion", () -> outbox.enqueue(placed("completed")));
                }
              });
        });
    assertThat(keys()).containsExactly("before");
  }

  @Test
  void aReadOnlyTransactionIsRefusedAndGoesOn() {
    TransactionTemplate readOnly = new TransactionTemplate(manager);
    readOnly.setReadOnly(true);
    readOnly.executeWithoutResult(
        status -> {
          refused("read-only", () -> outbox.enqueue(placed("1")));
          assertThat(jdbc.sql("select 1").query(Integer.class).single()).isEqualTo(1);
        });
    assertThat(keys()).isEmpty();
  }

  private static Message placed(String key) {
    return Message.to("kafka:orders").type("order.placed").key(key).text("placed");
  }

  private TransactionTemplate template(int propagation) {
    TransactionTemplate template = new TransactionTemplate(manager);
    template.setPropagationBehavior(propagation);
    return template;
  }

  private static void refused(String why, Callable<?> call) {
    assertThatThrownBy(call::call)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(why);
  }

  private List<String> keys() {
    return read("select key from twinbox.outbox order by position");
  }

  private List<String> purchases() {
    return read("select id from purchase order by id");
  }

  private List<String> read(String sql) {
    return jdbc.sql(sql).query(String.class).list();
  }
}
