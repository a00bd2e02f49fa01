package dev.twinbox.spring.snippets;

import dev.twinbox.spring.OutboxMessage;

// docs: spring-event
@OutboxMessage(to = "kafka:orders", type = "order.placed", key = "id")
public record OrderPlaced(String id, String customer, long cents) {}
// docs: end
