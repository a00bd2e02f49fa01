package dev.twinbox.examples.snippets;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinbox.outbox.Enqueued;
import dev.twinbox.outbox.JacksonCodec;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.outbox.PayloadCodec;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DefaultConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The features of the write side, one by one. */
public final class Producing {
  private static final Logger log = LoggerFactory.getLogger(Producing.class);

  private Producing() {}

  static Outbox outbox() {
    // docs: outbox
    Outbox outbox = Outbox.builder().source("/shop/orders").build();
    // docs: end
    return outbox;
  }

  static Outbox outboxWithEverything(ObjectMapper mapper) {
    // docs: outbox-settings
    Outbox outbox =
        Outbox.builder()
            .source("https://shop.example/orders")
            .schema("messaging")
            .maxPayloadBytes(500_000)
            .codec(JacksonCodec.of(mapper))
            .traceparent(() -> CurrentSpan.traceparent())
            .build();
    // docs: end
    return outbox;
  }

  static DSLContext wakeOnCommit(DataSource dataSource, Outbox outbox) {
    // docs: wake-on-commit
    DSLContext db =
        DSL.using(
            new DefaultConfiguration()
                .set(dataSource)
                .set(SQLDialect.POSTGRES)
                .set(outbox.wakeOnCommit()));
    // docs: end
    return db;
  }

  static List<Message> messages(OrderPlaced order, byte[] pdf) {
    // docs: messages
    Message json = Message.to("kafka:orders").key(order.id()).type("order.placed").json(order);
    Message text = Message.to("rabbitmq:shop/order.placed").type("note").text("Thank you!");
    Message bytes =
        Message.to("rabbitmq:/invoices")
            .type("invoice.printed")
            .contentType("application/pdf")
            .payload(pdf)
            .header("pages", "2");
    Message tombstone =
        Message.to("kafka@billing:accounts").key(order.customer()).type("gone").tombstone();
    // docs: end
    return List.of(json, text, bytes, tombstone);
  }

  static void later(Outbox outbox, DSLContext transaction, OrderPlaced order) {
    // docs: later
    outbox.enqueue(
        transaction,
        Message.to("kafka:reminders")
            .key(order.id())
            .type("payment.reminder")
            .json(order)
            .delay(Duration.ofDays(3))
            .ttl(Duration.ofHours(12)));
    // docs: end
  }

  static void paid(Outbox outbox, DSLContext transaction, OrderPlaced order, UUID reminder) {
    // docs: cancel
    boolean inTime = outbox.cancel(transaction, reminder);
    if (!inTime) {
      log.info("The reminder of order {} has gone out already", order.id());
    }
    // docs: end
  }

  static Enqueued once(Outbox outbox, DSLContext transaction, OrderPlaced order) {
    // docs: dedup
    Enqueued welcome =
        outbox.enqueue(
            transaction,
            Message.to("rabbitmq:mail/welcome")
                .type("mail.requested")
                .json(order)
                .dedupKey("welcome-" + order.customer()));
    if (welcome.duplicate()) {
      log.info("Welcomed before, by message {}", welcome.id());
    }
    // docs: end
    return welcome;
  }

  static void batch(Outbox outbox, DSLContext transaction, List<OrderPlaced> orders) {
    // docs: batch
    Message template = Message.to("kafka:orders").type("order.placed");
    outbox.enqueueAll(
        transaction, orders.stream().map(order -> template.key(order.id()).json(order)).toList());
    // docs: end
  }

  static void ordered(Outbox outbox, DSLContext transaction, OrderPlaced order) {
    // docs: ordered
    outbox.enqueue(
        transaction,
        Message.to("kafka:orders").key(order.id()).type("order.paid").json(order).ordered());
    // docs: end
  }

  // docs: codec
  /** Comma-separated values instead of JSON. */
  static final class CsvCodec implements PayloadCodec {
    @Override
    public byte[] encode(Object value) {
      if (value instanceof OrderPlaced order) {
        return "%s,%s,%s".formatted(order.id(), order.customer(), order.cents()).getBytes(UTF_8);
      }
      throw new IllegalArgumentException("No CSV for " + value.getClass().getName());
    }

    @Override
    public String contentType() {
      return "text/csv";
    }
  }

  // docs: end

  /** Stands for a tracing library. */
  static final class CurrentSpan {
    private CurrentSpan() {}

    static String traceparent() {
      return "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    }
  }
}
