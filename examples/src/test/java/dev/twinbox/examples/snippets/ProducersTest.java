package dev.twinbox.examples.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.hibernate.SessionFactory;
import org.hibernate.boot.MetadataSources;
import org.hibernate.boot.registry.StandardServiceRegistryBuilder;
import org.hibernate.cfg.AvailableSettings;
import org.jooq.DSLContext;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The quoted producers at work: an order and its message, both. */
final class ProducersTest {
  private static final OrderPlaced ORDER = new OrderPlaced("o-1", "ann", 1250);

  private final ShopDatabase shop = new ShopDatabase();
  private final Outbox outbox = Producing.outbox();
  private final AtomicInteger wakeUps = new AtomicInteger();

  ProducersTest() {
    outbox.onWake(wakeUps::incrementAndGet);
  }

  @Test
  void jooq() {
    new JooqOrders(Producing.wakeOnCommit(shop.dataSource, outbox), outbox).place(ORDER);
    assertThat(toldAndKept()).isEqualTo("o-1 o-1");
    assertThat(wakeUps).hasValue(1);
  }

  @Test
  void jdbc() throws Exception {
    new JdbcOrders(shop.dataSource, outbox).place(ORDER);
    assertThat(toldAndKept()).isEqualTo("o-1 o-1");
    assertThat(wakeUps).hasValue(1);
  }

  /** The template is what stands behind the annotation. */
  @Test
  void spring() {
    SpringOrders orders = new SpringOrders(shop.dataSource, outbox);
    TransactionTemplate transaction =
        new TransactionTemplate(new DataSourceTransactionManager(shop.dataSource));
    transaction.executeWithoutResult(status -> orders.place(ORDER));
    assertThat(toldAndKept()).isEqualTo("o-1 o-1");
    assertThat(wakeUps).hasValue(1);
    transaction.executeWithoutResult(
        status -> {
          orders.cancel("o-1");
          status.setRollbackOnly();
        });
    assertThat(toldAndKept()).isEqualTo("o-1 o-1");
    transaction.executeWithoutResult(status -> orders.cancel("o-1"));
    assertThat(shop.one("select string_agg(type, ' ' order by position) from twinbox.outbox"))
        .isEqualTo("order.placed order.cancelled");
  }

  @Test
  void hibernate() {
    try (SessionFactory sessions =
        new MetadataSources(
                new StandardServiceRegistryBuilder()
                    .applySettings(
                        Map.of(
                            AvailableSettings.JAKARTA_NON_JTA_DATASOURCE,
                            shop.dataSource,
                            AvailableSettings.DIALECT,
                            "org.hibernate.dialect.PostgreSQLDialect"))
                    .build())
            .buildMetadata()
            .buildSessionFactory()) {
      new HibernateOrders(sessions, outbox).place(ORDER);
    }
    assertThat(toldAndKept()).isEqualTo("o-1 o-1");
  }

  @Test
  void everyKindOfMessageIsTaken() {
    shop.db.transaction(
        configuration -> {
          DSLContext transaction = configuration.dsl();
          List<Message> messages = Producing.messages(ORDER, new byte[] {1});
          // Named brokers have no lanes before a relay that knows them has started.
          outbox.enqueueAll(transaction, messages.subList(0, 3));
          outbox.prepare(messages.get(3));
          Producing.later(outbox, transaction, ORDER);
          assertThat(Producing.once(outbox, transaction, ORDER).duplicate()).isFalse();
          assertThat(Producing.once(outbox, transaction, ORDER).duplicate()).isTrue();
          Producing.batch(outbox, transaction, List.of(ORDER, ORDER));
          Producing.ordered(outbox, transaction, ORDER);
        });
    assertThat(shop.one("select count(*) from twinbox.outbox")).isEqualTo("7");
    assertThat(shop.one("select count(*) from twinbox.outbox_scheduled")).isEqualTo("1");
  }

  @Test
  void aCodecOfOnesOwn() {
    Outbox csv = Outbox.builder().source("/shop").codec(new Producing.CsvCodec()).build();
    Message message = csv.prepare(Message.to("kafka:orders").type("order.placed").json(ORDER));
    assertThat(message.payload()).asString().isEqualTo("o-1,ann,1250");
    assertThat(message.contentType()).isEqualTo("text/csv");
  }

  @Test
  void theScriptBuildsTheTables() {
    assertThat(Setup.sql()).contains("create table \"twinbox\".outbox ");
  }

  private String toldAndKept() {
    return shop.one("select key from twinbox.outbox") + " " + shop.one("select id from orders");
  }
}
