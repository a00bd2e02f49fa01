package dev.twinbox.shop;

import dev.twinbox.spring.InboxListener;
import org.springframework.stereotype.Component;

/** Ships what was paid. */
@Component
class Warehouse {
  private final Purchases purchases;

  Warehouse(Purchases purchases) {
    this.purchases = purchases;
  }

  @InboxListener(queue = "shipments", type = "order.paid")
  void paid(OrderPaid order) {
    purchases.findById(order.id()).orElseThrow().ship();
  }
}
