package dev.twinbox.examples.demo;

import dev.twinbox.examples.common.RowStream;
import dev.twinbox.examples.demo.Shop.OrderPlaced;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxTransaction;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.TypedHandlers;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jooq.DSLContext;

/** Balances in PostgreSQL, changed in the transaction that records the message. */
final class PostgresBilling implements Billing {
  private final DSLContext database;
  private final Inbox inbox;

  /**
   * @param database for looking at the balances
   * @param pool for the inbox
   */
  PostgresBilling(DSLContext database, DataSource pool) {
    this.database = database;
    inbox = Inbox.builder().dataSource(pool).consumer(CONSUMER).build();
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

  @Override
  public Receiver receiver() {
    return inbox.receiver(
        TypedHandlers.builder().json("order.placed", OrderPlaced.class, this::apply).build());
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

  @Override
  public long applied() {
    Long orders =
        database
            .resultQuery("select coalesce(sum(orders), 0)::bigint from billing.balance")
            .fetchSingle()
            .into(Long.class);
    return Objects.requireNonNull(orders);
  }

  @Override
  public void effects(Consumer<UUID> reader) {
    RowStream.each(
        database,
        "select message_id from billing.effect order by number",
        row -> reader.accept(Objects.requireNonNull(row.get(0, UUID.class))));
  }

  @Override
  public String effectsAt() {
    return "rows in billing.effect";
  }

  @Override
  public Map<Integer, Balance> balances() {
    return database
        .resultQuery("select customer, cents, orders from billing.balance")
        .fetchMap(
            row -> row.get(0, Integer.class),
            row -> new Balance(row.get(1, Long.class), row.get(2, Long.class)));
  }

  @Override
  public String howToConnect() {
    return "";
  }

  @Override
  public void close() {}
}
