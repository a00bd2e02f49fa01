package dev.twinbox.examples.demo;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jooq.Configuration;
import org.jooq.DSLContext;

/**
 * The business that writes: orders of a hundred customers, each in one transaction with its
 * message. Thread-safe.
 */
final class Shop {
  private static final int CUSTOMERS = 100;
  private static final int ROLLED_BACK_ONE_IN = 20;

  private final DSLContext database;
  private final Outbox outbox;
  private final String destination;
  private final AtomicLong attempts = new AtomicLong();
  private final AtomicLong committed = new AtomicLong();

  Shop(DSLContext database, Outbox outbox, String destination) {
    this.database = database;
    this.outbox = outbox;
    this.destination = destination;
  }

  /** What an order's message says. */
  record OrderPlaced(int customer, long number, long cents) {}

  /** The shop's own tables; abandoned baskets are noted so that the tally knows them. */
  static void createTables(DSLContext database) {
    database.execute("create schema shop");
    database.execute(
        "create table shop.customer (customer int primary key, orders bigint not null)");
    database.execute(
        "create table shop.orders (customer int, number bigint, cents bigint not null, message_id"
            + " uuid not null, primary key (customer, number))");
    database.execute("create table shop.abandoned (message_id uuid primary key)");
    database.execute(
        "insert into shop.customer select n, 0 from generate_series(1, ?) n", CUSTOMERS);
  }

  /**
   * Writes an order, or begins to and rolls back, if fewer than {@code limit} were begun before.
   *
   * @return false when the limit was reached
   */
  boolean placeOrder(long limit) {
    long attempt = attempts.getAndIncrement();
    if (attempt >= limit) {
      return false;
    }
    boolean changesMind = attempt % ROLLED_BACK_ONE_IN == ROLLED_BACK_ONE_IN / 2;
    try {
      database.transaction(transaction -> placeOrder(transaction, changesMind));
      committed.incrementAndGet();
    } catch (ChangedMind changed) {
      database.execute("insert into shop.abandoned values (?)", changed.messageId);
    }
    return true;
  }

  /** For the progress line only: the tally counts rows. */
  long committed() {
    return committed.get();
  }

  private void placeOrder(Configuration transaction, boolean changesMind) {
    DSLContext dsl = transaction.dsl();
    int customer = ThreadLocalRandom.current().nextInt(CUSTOMERS) + 1;
    // This locks the customer's row, so orders of one customer are enqueued one after the other.
    Long number =
        dsl.resultQuery(
                "update shop.customer set orders = orders + 1 where customer = ? returning orders",
                customer)
            .fetchSingle()
            .into(Long.class);
    long cents = ThreadLocalRandom.current().nextLong(100, 10_000);
    UUID messageId =
        outbox
            .enqueue(
                dsl,
                Message.to(destination)
                    .key("customer-" + customer)
                    .type("order.placed")
                    .json(new OrderPlaced(customer, number, cents)))
            .id();
    dsl.execute(
        "insert into shop.orders (customer, number, cents, message_id) values (?, ?, ?, ?)",
        customer,
        number,
        cents,
        messageId);
    if (changesMind) {
      throw new ChangedMind(messageId);
    }
  }

  /** Rolls the transaction back, message included. */
  private static final class ChangedMind extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final UUID messageId;

    ChangedMind(UUID messageId) {
      super("The customer has changed their mind", null, false, false);
      this.messageId = messageId;
    }
  }
}
