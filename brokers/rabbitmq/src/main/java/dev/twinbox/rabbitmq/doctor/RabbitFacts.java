package dev.twinbox.rabbitmq.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a virtual host looks like; each thing is asked for once. For one thread. */
final class RabbitFacts {
  private final RabbitManagement management;
  private final Map<String, Optional<JsonNode>> exchanges = new HashMap<>();
  private final Map<String, JsonNode> bindings = new HashMap<>();
  private final Map<String, Optional<QueueFacts>> queues = new HashMap<>();
  private @Nullable RabbitPolicies policies;
  private @Nullable JsonNode overview;
  private @Nullable JsonNode nodes;

  RabbitFacts(RabbitManagement management) {
    this.management = management;
  }

  /** The exchange; empty when it does not exist. */
  Optional<JsonNode> exchange(String name) throws UnreadableException {
    Optional<JsonNode> known = exchanges.get(name);
    if (known == null) {
      known = management.find("exchanges", management.vhost(), name);
      exchanges.put(name, known);
    }
    return known;
  }

  /** The queue; empty when it does not exist. */
  Optional<QueueFacts> queue(String name) throws UnreadableException {
    Optional<QueueFacts> known = queues.get(name);
    if (known == null) {
      Optional<JsonNode> found = management.find("queues", management.vhost(), name);
      known = Optional.empty();
      if (found.isPresent()) {
        String type = found.get().path("type").asText("classic");
        known = Optional.of(new QueueFacts(name, found.get(), policies().ofQueue(name, type)));
      }
      queues.put(name, known);
    }
    return known;
  }

  /** The server's version, as far as it counts: 3 or 4. */
  int majorVersion() throws UnreadableException {
    JsonNode known = overview;
    if (known == null) {
      known = management.find("overview").orElse(MissingNode.getInstance());
      overview = known;
    }
    String version = known.path("rabbitmq_version").asText("0.0");
    return Integer.parseInt(version.replaceFirst("\\D.*", "0").substring(0, 1));
  }

  /** The nodes of the cluster. */
  JsonNode nodes() throws UnreadableException {
    JsonNode known = nodes;
    if (known == null) {
      known = management.find("nodes").orElse(MissingNode.getInstance());
      nodes = known;
    }
    return known;
  }

  /** Where messages without a route go from here, or null. The argument goes before a policy. */
  @Nullable String alternate(JsonNode exchange) throws UnreadableException {
    JsonNode own = exchange.path("arguments").path("alternate-exchange");
    JsonNode value =
        own.isTextual()
            ? own
            : policies().ofExchange(exchange.path("name").asText()).path("alternate-exchange");
    return value.isTextual() ? value.asText() : null;
  }

  /**
   * The queues that a message reaches from the exchange, through other exchanges too, but not
   * through alternate ones. With a type of exchange that is not known, or one that looks at
   * headers, every binding counts.
   *
   * @param key the routing key, or null for any
   */
  Set<String> reached(String exchange, @Nullable String key) throws UnreadableException {
    Set<String> reached = new LinkedHashSet<>();
    collect(exchange, key, new HashSet<>(), reached);
    return reached;
  }

  private void collect(String exchange, @Nullable String key, Set<String> seen, Set<String> reached)
      throws UnreadableException {
    if (!seen.add(exchange)) {
      return;
    }
    if (exchange.isEmpty()) {
      if (key != null && queue(key).isPresent()) {
        reached.add(key);
      }
      return;
    }
    Optional<JsonNode> source = exchange(exchange);
    if (source.isEmpty()) {
      return;
    }
    String type = source.get().path("type").asText();
    for (JsonNode binding : bindingsFrom(exchange)) {
      if (key == null || leads(type, binding.path("routing_key").asText(), key)) {
        String destination = binding.path("destination").asText();
        if (binding.path("destination_type").asText().equals("queue")) {
          reached.add(destination);
        } else {
          collect(destination, key, seen, reached);
        }
      }
    }
  }

  private static boolean leads(String type, String bindingKey, String key) {
    return switch (type) {
      case "direct" -> bindingKey.equals(key);
      case "topic" -> TopicPattern.matches(bindingKey, key);
      default -> true;
    };
  }

  private JsonNode bindingsFrom(String exchange) throws UnreadableException {
    JsonNode known = bindings.get(exchange);
    if (known == null) {
      known =
          management
              .find("exchanges", management.vhost(), exchange, "bindings", "source")
              .orElse(MissingNode.getInstance());
      bindings.put(exchange, known);
    }
    return known;
  }

  private RabbitPolicies policies() throws UnreadableException {
    RabbitPolicies known = policies;
    if (known == null) {
      known = new RabbitPolicies(list("policies"), list("operator-policies"));
      policies = known;
    }
    return known;
  }

  private JsonNode list(String kind) throws UnreadableException {
    return management.find(kind, management.vhost()).orElse(MissingNode.getInstance());
  }
}
