package dev.twinbox.shop;

import dev.twinbox.spring.OutboxMessage;

/** Told to the warehouse. */
@OutboxMessage(to = "rabbitmq:/shipments", type = "order.paid", key = "id")
public record OrderPaid(String id) {}
