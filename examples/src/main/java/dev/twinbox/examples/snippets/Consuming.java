package dev.twinbox.examples.snippets;

import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;

import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.TypedHandlers;
import dev.twinbox.inbox.UnknownType;
import dev.twinbox.inbox.UnprocessableException;
import dev.twinbox.kafka.consumer.KafkaInboxConsumer;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.rabbitmq.consumer.RabbitInboxConsumer;
import dev.twinbox.rocketmq.consumer.RocketInboxConsumer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Receives messages. */
public final class Consuming {
  private static final Logger log = LoggerFactory.getLogger(Consuming.class);

  private Consuming() {}

  static Handler balances() {
    // docs: handler
    String add = "update account set cents = cents + ? where customer = ?";
    Handler handler =
        TypedHandlers.builder()
            .json(
                "order.placed",
                OrderPlaced.class,
                (order, delivery, work) -> work.dsl().execute(add, order.cents(), order.customer()))
            .build();
    // docs: end
    return handler;
  }

  static KafkaInboxConsumer onKafka(DataSource pool, String servers, Handler handler) {
    // docs: kafka-consumer
    Inbox inbox = Inbox.builder().dataSource(pool).consumer("billing").build();
    KafkaInboxConsumer consumer =
        KafkaInboxConsumer.builder()
            .inbox(inbox)
            .handler(handler)
            .topics("orders")
            .property("bootstrap.servers", servers)
            .property("group.id", "billing")
            .build()
            .start();
    // docs: end
    return consumer;
  }

  static RabbitInboxConsumer onRabbit(Inbox inbox, String uri, Handler handler) {
    // docs: rabbit-consumer
    RabbitInboxConsumer consumer =
        RabbitInboxConsumer.builder()
            .inbox(inbox)
            .handler(handler)
            .queue("billing")
            .uri(uri)
            .build()
            .start();
    // docs: end
    return consumer;
  }

  static RocketInboxConsumer onRocket(Inbox inbox, String servers, Handler handler) {
    // docs: rocket-consumer
    RocketInboxConsumer consumer =
        RocketInboxConsumer.builder()
            .inbox(inbox)
            .handler(handler)
            .topics("orders")
            .nameServers(servers)
            .group("billing")
            .build()
            .start();
    // docs: end
    return consumer;
  }

  static Inbox inboxWithEverything(DataSource pool) {
    // docs: inbox-settings
    Inbox inbox =
        Inbox.builder()
            .dataSource(pool)
            .consumer("billing")
            .schema("messaging")
            .backoff(Backoff.exponential(ofSeconds(1)).upTo(ofMinutes(5)).giveUpAfter(12))
            .handlerTimeLimit(ofMinutes(2))
            .expectDestinations("kafka:orders")
            .build();
    // docs: end
    return inbox;
  }

  static void one(Inbox inbox, Delivery delivery, Handler handler) {
    // docs: receive
    Receipt receipt = inbox.receive(delivery, handler);
    if (receipt.settled()) {
      acknowledge(delivery);
    } else if (receipt instanceof Receipt.Failed failed) {
      deliverAgain(delivery.again(), failed.retryAfter());
    }
    // docs: end
  }

  static void many(Inbox inbox, List<Delivery> batch, Handler handler) {
    // docs: receive-all
    List<Receipt> receipts = inbox.receiveAll(batch, handler);
    for (int i = 0; i < batch.size(); i++) {
      if (receipts.get(i).settled()) {
        acknowledge(batch.get(i));
      }
    }
    // docs: end
  }

  static void inMyTransaction(
      DataSource dataSource, Inbox inbox, Delivery delivery, Handler handler) throws SQLException {
    // docs: receive-in
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Receipt receipt = inbox.receiveIn(connection, delivery, handler);
        connection.commit();
        log.info("{}: {}", delivery, receipt);
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
    acknowledge(delivery);
    // docs: end
  }

  static void inMyJooqTransaction(DSLContext db, Inbox inbox, Delivery delivery, Handler handler) {
    // docs: receive-in-jooq
    db.transaction(configuration -> inbox.receiveIn(configuration.dsl(), delivery, handler));
    acknowledge(delivery);
    // docs: end
  }

  static TypedHandlers typed(Outbox outbox) {
    // docs: typed
    TypedHandlers handlers =
        TypedHandlers.builder()
            .json(
                "order.placed",
                OrderPlaced.class,
                (order, delivery, work) -> {
                  if (order.cents() < 0) {
                    throw new UnprocessableException("An order of " + order.cents() + " cents");
                  }
                  work.dsl().execute("insert into invoice (order_id) values (?)", order.id());
                  outbox.enqueue(
                      work.dsl(),
                      Message.to("rabbitmq:mail/invoice")
                          .key(order.customer())
                          .type("invoice.created")
                          .json(order));
                })
            .on(
                "order.cancelled",
                (delivery, work) ->
                    work.dsl().execute("delete from invoice where order_id = ?", delivery.key()))
            .unknown(UnknownType.IGNORE)
            .build();
    // docs: end
    return handlers;
  }

  private static void acknowledge(Delivery delivery) {
    log.info("Acknowledged {}", delivery);
  }

  private static void deliverAgain(Delivery delivery, Duration pause) {
    log.info("{} comes again in {}", delivery, pause);
  }
}
