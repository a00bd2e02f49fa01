package dev.twinbox.relay.rabbitmq;

import dev.twinbox.outbox.Destination;
import dev.twinbox.outbox.InvalidMessageException;
import dev.twinbox.outbox.RabbitDestination;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Destinations that were read before; for one thread. */
final class Routes {
  /** Routing keys may name customers or orders: there is no end of them. */
  private static final int LIMIT = 1000;

  private final String broker;
  private final Map<String, RabbitDestination> known = new HashMap<>();

  Routes(String broker) {
    this.broker = broker;
  }

  /** Exchange and routing key, or null if it is no destination of this broker. */
  @Nullable RabbitDestination of(String destination) {
    RabbitDestination route = known.get(destination);
    if (route == null) {
      route = read(destination);
      if (route != null) {
        if (known.size() >= LIMIT) {
          known.clear();
        }
        known.put(destination, route);
      }
    }
    return route;
  }

  private @Nullable RabbitDestination read(String destination) {
    try {
      return Destination.parse(destination) instanceof RabbitDestination route
              && route.broker().equals(broker)
          ? route
          : null;
    } catch (InvalidMessageException e) {
      return null;
    }
  }
}
