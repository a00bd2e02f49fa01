package dev.twinbox.examples.snippets;

import static org.jooq.impl.DSL.excluded;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.table;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.Table;

/** What a redelivered message does to different kinds of writes. */
public final class NaturalIdempotence {
  private static final Table<Record> CUSTOMER = table(name("customer"));
  private static final Field<String> ID = field(name("customer", "id"), String.class);
  private static final Field<String> EMAIL = field(name("customer", "email"), String.class);
  private static final Field<Long> VERSION = field(name("customer", "version"), Long.class);

  /** A customer as of a version that its sender counts up. */
  public record CustomerChanged(String id, String email, long version) {}

  private NaturalIdempotence() {}

  // docs: insert-once
  static void insertOnce(Connection connection, OrderPlaced order) throws SQLException {
    String sql =
        "insert into orders (id, customer, cents) values (?, ?, ?) on conflict (id) do nothing";
    try (PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setString(1, order.id());
      insert.setString(2, order.customer());
      insert.setLong(3, order.cents());
      insert.executeUpdate();
    }
  }

  // docs: end

  // docs: upsert
  static void upsert(DSLContext db, CustomerChanged customer) {
    db.insertInto(CUSTOMER, ID, EMAIL, VERSION)
        .values(customer.id(), customer.email(), customer.version())
        .onConflict(ID)
        .doUpdate()
        .set(EMAIL, excluded(EMAIL))
        .set(VERSION, excluded(VERSION))
        .execute();
  }

  // docs: end

  // docs: upsert-newer
  static void upsertIfNewer(DSLContext db, CustomerChanged customer) {
    db.insertInto(CUSTOMER, ID, EMAIL, VERSION)
        .values(customer.id(), customer.email(), customer.version())
        .onConflict(ID)
        .doUpdate()
        .set(EMAIL, excluded(EMAIL))
        .set(VERSION, excluded(VERSION))
        .where(VERSION.lt(excluded(VERSION)))
        .execute();
  }

  // docs: end

  // docs: set-semantics
  static void addToSet(DSLContext db, String customer, String product) {
    db.execute(
        "insert into favourite (customer, product) values (?, ?) on conflict do nothing",
        customer,
        product);
  }

  static void removeFromSet(DSLContext db, String customer, String product) {
    db.execute("delete from favourite where customer = ? and product = ?", customer, product);
  }

  // docs: end

  // docs: conditional-update
  static void pay(DSLContext db, String orderId) {
    db.execute("update orders set state = 'paid' where id = ? and state = 'open'", orderId);
  }

  // docs: end

  // docs: increment
  static void increment(DSLContext db, OrderPlaced order) {
    db.execute(
        "update account set cents = cents + ? where customer = ?", order.cents(), order.customer());
  }

  // docs: end

  // docs: follow-up
  static void insertAndTell(DSLContext transaction, Outbox outbox, OrderPlaced order) {
    transaction.execute(
        "insert into orders (id, customer, cents) values (?, ?, ?) on conflict (id) do nothing",
        order.id(),
        order.customer(),
        order.cents());
    outbox.enqueue(
        transaction, Message.to("rabbitmq:mail/thanks").type("mail.requested").json(order));
  }
  // docs: end
}
