package dev.twinbox.spring.snippets;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.spring.InboxListener;
import org.springframework.transaction.annotation.Transactional;

/** A service that enqueues and listens. */
class SpringOrders {
  private final Orders orders;
  private final Accounts accounts;
  private final Outbox outbox;

  SpringOrders(Orders orders, Accounts accounts, Outbox outbox) {
    this.orders = orders;
    this.accounts = accounts;
    this.outbox = outbox;
  }

  /** Stands for a repository. */
  interface Orders {
    void save(OrderPlaced order);
  }

  /** Stands for a repository. */
  interface Accounts {
    void add(String customer, long cents);
  }

  // docs: spring-enqueue
  @Transactional
  public void place(OrderPlaced order) {
    orders.save(order);
    outbox.enqueue(Message.to("kafka:orders").key(order.id()).type("order.placed").json(order));
  }

  // docs: end

  // docs: spring-listen
  @InboxListener(destination = "kafka:orders", type = "order.placed")
  void placed(OrderPlaced order) {
    accounts.add(order.customer(), order.cents());
  }
  // docs: end
}
