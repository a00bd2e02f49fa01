package dev.twinbox.rabbitmq;

import dev.twinbox.broker.DestinationText;
import org.jspecify.annotations.Nullable;

/**
 * An exchange and a routing key: the address of a destination in RabbitMQ. Immutable.
 *
 * @param exchange at most 255 bytes, without '/'; empty for the default exchange
 * @param routingKey at most 255 bytes; with the default exchange the queue's name, not empty then
 */
public record RabbitRoute(String exchange, String routingKey) {
  private static final int MOST_BYTES = 255;

  /** Refuses with {@link IllegalArgumentException} what AMQP 0-9-1 could not carry. */
  public RabbitRoute {
    if (exchange.indexOf('/') >= 0) {
      throw new IllegalArgumentException(
          "the exchange %s cannot be told from its routing key because of its '/'. Use another name."
              .formatted(DestinationText.shown(exchange)));
    }
    if (exchange.isEmpty() && routingKey.isEmpty()) {
      throw new IllegalArgumentException(
          "there is neither exchange nor queue. Write 'exchange/routing.key' or '/queue'.");
    }
    DestinationText.requireLine("exchange", exchange, MOST_BYTES);
    DestinationText.requireLine("routing key", routingKey, MOST_BYTES);
  }

  /**
   * Reads an address: {@code shop/order.placed}, or {@code /invoices} for a queue by its name.
   *
   * @throws IllegalArgumentException when it is none
   */
  public static RabbitRoute parse(String address) {
    int slash = address.indexOf('/');
    if (slash < 0) {
      throw new IllegalArgumentException(
          "%s has no '/'. Write 'exchange/routing.key', or '/queue' for a queue by its name."
              .formatted(DestinationText.shown(address)));
    }
    return new RabbitRoute(address.substring(0, slash), address.substring(slash + 1));
  }

  /**
   * Reads the text form of a destination, as in {@code rabbitmq:shop/order.placed}.
   *
   * @return null when it is no destination of this broker, or no route
   */
  public static @Nullable RabbitRoute at(String broker, String destination) {
    String address = DestinationText.addressAt(broker, destination);
    try {
      return address == null ? null : parse(address);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** The address, which {@link #parse} reads. */
  @Override
  public String toString() {
    return exchange + '/' + routingKey;
  }
}
