package dev.twinbox.examples.snippets;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Table;

/** Enqueues with jOOQ. */
public final class JooqOrders {
  private static final Table<Record> ORDERS = table(name("orders"));
  private static final Field<String> ID = field(name("id"), String.class);
  private static final Field<String> CUSTOMER = field(name("customer"), String.class);
  private static final Field<Long> CENTS = field(name("cents"), Long.class);

  private final DSLContext db;
  private final Outbox outbox;

  public JooqOrders(DSLContext db, Outbox outbox) {
    this.db = db;
    this.outbox = outbox;
  }

  // docs: jooq
  public void place(OrderPlaced order) {
    db.transaction(
        configuration -> {
          DSLContext transaction = configuration.dsl();
          transaction
              .insertInto(ORDERS, ID, CUSTOMER, CENTS)
              .values(order.id(), order.customer(), order.cents())
              .execute();
          outbox.enqueue(
              transaction,
              Message.to("kafka:orders").key(order.id()).type("order.placed").json(order));
        });
  }
  // docs: end
}
