package dev.twinbox.examples.snippets;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import org.hibernate.SessionFactory;

/** Enqueues in Hibernate's transactions. */
public final class HibernateOrders {
  private final SessionFactory sessions;
  private final Outbox outbox;

  public HibernateOrders(SessionFactory sessions, Outbox outbox) {
    this.sessions = sessions;
    this.outbox = outbox;
  }

  // docs: hibernate
  public void place(OrderPlaced order) {
    sessions.inTransaction(
        session -> {
          session
              .createNativeMutationQuery(
                  "insert into orders (id, customer, cents) values (?, ?, ?)")
              .setParameter(1, order.id())
              .setParameter(2, order.customer())
              .setParameter(3, order.cents())
              .executeUpdate();
          session.doWork(
              connection ->
                  outbox.enqueue(
                      connection,
                      Message.to("kafka:orders")
                          .key(order.id())
                          .type("order.placed")
                          .ordered()
                          .json(order)));
        });
    outbox.wake();
  }
  // docs: end
}
