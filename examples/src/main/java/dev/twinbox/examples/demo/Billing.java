package dev.twinbox.examples.demo;

import dev.twinbox.examples.demo.Shop.OrderPlaced;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.InboxTransaction;
import dev.twinbox.inbox.TypedHandlers;
import java.util.Objects;
import java.util.UUID;
import org.jooq.DSLContext;

/**
 * The business that reads: adds each order to its customer's balance. An order that were applied
 * twice would show, as nothing here but the inbox prevents it.
 */
final class Billing {
  private final DSLContext database;

  Billing(DSLContext database) {
    this.database = database;
  }

  /** Its tables; an effect's number says in which order effects were applied. */
  static void createTables(DSLContext database) {
    database.execute("create schema billing");
    database.execute(
        "create table billing.balance (customer int primary key, cents bigint not null, orders"
            + " bigint not null)");
    database.execute(
        "create table billing.effect (number bigint generated always as identity primary key,"
            + " message_id uuid not null, customer int not null, order_number bigint not null)");
  }

  Handler handler() {
    return TypedHandlers.builder().json("order.placed", OrderPlaced.class, this::apply).build();
  }

  private void apply(OrderPlaced order, Delivery delivery, InboxTransaction work) {
    UUID messageId = UUID.fromString(Objects.requireNonNull(delivery.id()));
    work.dsl()
        .execute(
            "with effect as (insert into billing.effect (message_id, customer, order_number) values"
                + " (?, ?, ?)) insert into billing.balance as b values (?, ?, 1) on conflict"
                + " (customer) do update set cents = b.cents + excluded.cents, orders = b.orders + 1",
            messageId,
            order.customer(),
            order.number(),
            order.customer(),
            order.cents());
  }

  /** How many orders the balances say they hold. */
  long applied() {
    Long orders =
        database
            .resultQuery("select coalesce(sum(orders), 0)::bigint from billing.balance")
            .fetchSingle()
            .into(Long.class);
    return Objects.requireNonNull(orders);
  }
}
