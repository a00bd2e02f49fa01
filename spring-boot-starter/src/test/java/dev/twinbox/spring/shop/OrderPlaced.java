package dev.twinbox.spring.shop;

import dev.twinbox.spring.OutboxMessage;

/** An event that is a message. */
@OutboxMessage(to = "${shop.orders}", type = "order.placed", key = "id")
public record OrderPlaced(String id, long cents) {}
