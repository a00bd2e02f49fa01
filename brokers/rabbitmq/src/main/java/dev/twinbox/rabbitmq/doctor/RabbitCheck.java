package dev.twinbox.rabbitmq.doctor;

import dev.twinbox.broker.doctor.Check;

/** What is looked for at a RabbitMQ node, its exchanges and queues. */
public enum RabbitCheck implements Check {
  /** Does not exist. */
  EXCHANGE_MISSING("Messages wait for it during the grace period and become dead letters.", false),
  /** Gone after a restart. */
  EXCHANGE_NOT_DURABLE("A restart of the broker removes it, with all that is bound to it."),
  /** Goes with its last binding. */
  EXCHANGE_AUTO_DELETE("It is removed with its last binding, and messages have no place to go."),
  /** Takes what has no route. */
  ALTERNATE_EXCHANGE("A message without a route counts as published, and its consumer misses it."),
  /** Nothing is bound. */
  NO_ROUTE("Messages wait for a queue during the grace period and become dead letters.", false),
  /** Does not exist. */
  QUEUE_MISSING("Nothing is consumed until it exists.", false),
  /** Gone after a restart. */
  QUEUE_NOT_DURABLE("A restart of the broker loses the queue and its messages."),
  /** Exclusive, auto-delete, or expiring. */
  QUEUE_TEMPORARY("The queue is removed, with its messages, when nobody uses it."),
  /** Overflow. */
  QUEUE_DROPS_OLDEST("When the queue is full, its oldest messages are dropped silently."),
  /** Messages expire. */
  MESSAGE_TTL("Messages that wait longer leave the queue unread."),
  /** Of a quorum queue. */
  DELIVERY_LIMIT("A message that is redelivered more often, as by restarts, is dropped."),
  /** Does not exist. */
  DEAD_LETTER_EXCHANGE_MISSING("What is dead-lettered is dropped silently."),
  /** Leads to no durable queue. */
  DEAD_LETTER_NO_ROUTE("What is dead-lettered is dropped silently."),
  /** Without confirms. */
  DEAD_LETTER_AT_MOST_ONCE("A message can be lost on its way to the dead-letter exchange."),
  /** One node. */
  QUEUE_NOT_REPLICATED("The loss of its one node's disk loses its messages."),
  /** Several consumers. */
  NO_SINGLE_ACTIVE_CONSUMER("With more than one consumer the order of keys is lost."),
  /** Of deliveries. */
  CONSUMER_TIMEOUT("A message that is retried for longer closes the consumer's channel.");

  private final String risk;
  private final boolean refused;

  RabbitCheck(String risk) {
    this(risk, true);
  }

  RabbitCheck(String risk, boolean refused) {
    this.risk = risk;
    this.refused = refused;
  }

  @Override
  public String risk() {
    return risk;
  }

  @Override
  public boolean isRefused() {
    return refused;
  }
}
