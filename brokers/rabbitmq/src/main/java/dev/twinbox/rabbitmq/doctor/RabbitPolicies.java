package dev.twinbox.rabbitmq.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * What policies make of a queue or exchange. The management interface shows a queue's effective
 * policy some seconds late, and not at all where statistics are off, so it is worked out here, by
 * the broker's rules: of the matching ones that with the highest priority counts, and of it and the
 * operator's the lower limit.
 */
final class RabbitPolicies {
  private final JsonNode policies;
  private final JsonNode operatorPolicies;

  /** From the lists of a virtual host. */
  RabbitPolicies(JsonNode policies, JsonNode operatorPolicies) {
    this.policies = policies;
    this.operatorPolicies = operatorPolicies;
  }

  /** What holds for an exchange. */
  JsonNode ofExchange(String name) throws UnreadableException {
    return definition(policies, name, "exchanges", "exchanges");
  }

  /** What holds for a queue of this type. */
  JsonNode ofQueue(String name, String type) throws UnreadableException {
    String own =
        switch (type) {
          case "quorum" -> "quorum_queues";
          case "stream" -> "streams";
          default -> "classic_queues";
        };
    ObjectNode merged = definition(policies, name, "queues", own).deepCopy();
    ObjectNode operators = definition(operatorPolicies, name, "queues", own);
    operators
        .properties()
        .forEach(
            entry -> {
              JsonNode users = merged.path(entry.getKey());
              JsonNode value = entry.getValue();
              boolean usersIsLower =
                  users.isNumber() && value.isNumber() && users.asLong() <= value.asLong();
              if (!usersIsLower) {
                merged.set(entry.getKey(), value);
              }
            });
    return merged;
  }

  private static ObjectNode definition(JsonNode policies, String name, String kind, String type)
      throws UnreadableException {
    JsonNode best = null;
    for (JsonNode each : policies) {
      String applyTo = each.path("apply-to").asText();
      boolean applies = applyTo.equals("all") || applyTo.equals(kind) || applyTo.equals(type);
      if (applies && matches(each, name) && isHigher(each, best)) {
        best = each;
      }
    }
    return best != null && best.path("definition") instanceof ObjectNode definition
        ? definition
        : JsonNodeFactory.instance.objectNode();
  }

  private static boolean isHigher(JsonNode policy, @Nullable JsonNode than) {
    return than == null || policy.path("priority").asInt() > than.path("priority").asInt();
  }

  private static boolean matches(JsonNode policy, String name) throws UnreadableException {
    try {
      return Pattern.compile(policy.path("pattern").asText()).matcher(name).find();
    } catch (PatternSyntaxException e) {
      throw new UnreadableException(
          "the pattern of policy %s is not understood".formatted(policy.path("name").asText()));
    }
  }
}
