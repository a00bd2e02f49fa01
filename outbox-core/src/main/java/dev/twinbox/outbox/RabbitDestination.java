package dev.twinbox.outbox;

import org.jspecify.annotations.Nullable;

/**
 * A RabbitMQ exchange and routing key. Immutable.
 *
 * @param brokerName the broker among several, or null for the one without a name
 * @param exchange at most 255 bytes, without '/'; empty for the default exchange
 * @param routingKey at most 255 bytes; with the default exchange the queue's name, not empty then
 */
public record RabbitDestination(@Nullable String brokerName, String exchange, String routingKey)
    implements Destination {
  private static final String LIMIT = "AMQP allows no more.";

  /** Refuses with {@link InvalidMessageException} what AMQP 0-9-1 could not carry. */
  public RabbitDestination {
    DestinationGrammar.name(brokerName);
    if (exchange.indexOf('/') >= 0) {
      throw new InvalidMessageException(
          "destination",
          "destination names the exchange %s; an exchange with '/' cannot be told from its routing key. Use another name."
              .formatted(Texts.shown(exchange)));
    }
    if (exchange.isEmpty() && routingKey.isEmpty()) {
      throw new InvalidMessageException(
          "destination",
          "destination names neither exchange nor queue. Write 'rabbitmq:exchange/routing.key' or 'rabbitmq:/queue'.");
    }
    if (!exchange.isEmpty()) {
      Texts.line("destination", exchange, 255, LIMIT);
    }
    if (!routingKey.isEmpty()) {
      Texts.line("destination", routingKey, 255, LIMIT);
    }
  }

  @Override
  public Kind kind() {
    return Kind.RABBITMQ;
  }

  @Override
  public String toString() {
    return broker() + ':' + exchange + '/' + routingKey;
  }
}
