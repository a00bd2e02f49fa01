package dev.twinbox.shop;

import dev.twinbox.outbox.Outbox;
import dev.twinbox.spring.InboxListener;
import org.springframework.stereotype.Component;

/** Charges customers. Adding is not idempotent and need not be: each order comes once. */
@Component
class Billing {
  private final Accounts accounts;
  private final Outbox outbox;

  Billing(Accounts accounts, Outbox outbox) {
    this.accounts = accounts;
    this.outbox = outbox;
  }

  // docs: shop-listen
  @InboxListener(destination = "kafka:orders", type = "order.placed")
  void placed(OrderPlaced order) {
    accounts.charge(order.customer(), order.cents());
    outbox.enqueue(new OrderPaid(order.id()));
  }
  // docs: end
}
