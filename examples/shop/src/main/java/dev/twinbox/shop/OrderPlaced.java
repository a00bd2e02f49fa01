package dev.twinbox.shop;

import dev.twinbox.spring.OutboxMessage;

/** Told to whoever reads the topic. */
// docs: shop-event
@OutboxMessage(to = "kafka:orders", type = "order.placed", key = "customer")
public record OrderPlaced(String id, String customer, long cents) {}
// docs: end
