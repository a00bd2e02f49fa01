package dev.twinbox.rabbitmq.publisher;

import dev.twinbox.rabbitmq.RabbitRoute;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Destinations that were read before; for one thread. */
final class Routes {
  /** Routing keys may name customers or orders: there is no end of them. */
  private static final int LIMIT = 1000;

  private final String broker;
  private final Map<String, RabbitRoute> known = new HashMap<>();

  Routes(String broker) {
    this.broker = broker;
  }

  /** Exchange and routing key, or null if it is no destination of this broker. */
  @Nullable RabbitRoute of(String destination) {
    RabbitRoute route = known.get(destination);
    if (route == null) {
      route = RabbitRoute.at(broker, destination);
      if (route != null) {
        if (known.size() >= LIMIT) {
          known.clear();
        }
        known.put(destination, route);
      }
    }
    return route;
  }
}
