package dev.twinbox.rabbitmq.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * A queue as the management interface shows it, with its arguments and what policies, operators'
 * included, make of it.
 *
 * @param policy what holds by policies
 */
record QueueFacts(String name, JsonNode json, JsonNode policy) {
  String type() {
    return json.path("type").asText("classic");
  }

  boolean isQuorum() {
    return type().equals("quorum");
  }

  boolean isStream() {
    return type().equals("stream");
  }

  boolean isDurable() {
    return json.path("durable").asBoolean();
  }

  /** Why the queue goes when nobody uses it, or null when it stays. */
  @Nullable String temporary() {
    if (json.path("exclusive").asBoolean()) {
      return "exclusive";
    }
    if (json.path("auto_delete").asBoolean()) {
      return "auto-delete";
    }
    Long expires = number("expires");
    return expires == null ? null : "expires after %s ms without use".formatted(expires);
  }

  /** Whether it is still there, with its messages, after a restart and while nobody consumes. */
  boolean isKept() {
    return isDurable() && temporary() == null;
  }

  /** A setting by its policy name: the queue's own argument goes before policies. */
  @Nullable String text(String name) {
    JsonNode own = json.path("arguments").path("x-" + name);
    JsonNode value = own.isMissingNode() ? policy.path(name) : own;
    return value.isMissingNode() || value.isNull() ? null : value.asText();
  }

  /** The same for limits, of which the lower one counts. */
  @Nullable Long number(String name) {
    JsonNode own = json.path("arguments").path("x-" + name);
    JsonNode other = policy.path(name);
    if (own.isNumber() && other.isNumber()) {
      return Math.min(own.asLong(), other.asLong());
    }
    return own.isNumber() ? Long.valueOf(own.asLong()) : numberOrNull(other);
  }

  boolean flag(String name) {
    return Boolean.parseBoolean(text(name));
  }

  /** How many nodes keep it. */
  int copies() {
    JsonNode members = json.path("members");
    int mirrors = json.path("slave_nodes").size();
    return members.isArray() ? Math.max(1, members.size()) : 1 + mirrors;
  }

  private static @Nullable Long numberOrNull(JsonNode value) {
    return value.isNumber() ? value.asLong() : null;
  }
}
