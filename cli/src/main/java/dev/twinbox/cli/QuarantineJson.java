package dev.twinbox.cli;

import dev.twinbox.inbox.QuarantineCause;
import dev.twinbox.inbox.QuarantinedMessage;
import dev.twinbox.inbox.Redrive;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is quarantined, for machines. Times are ISO 8601 in UTC. */
final class QuarantineJson {
  private QuarantineJson() {}

  static Map<String, @Nullable Object> message(QuarantinedMessage message) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("number", message.number());
    fields.put("consumer", message.consumer());
    fields.put("messageId", text(message.messageId()));
    fields.put("id", message.id());
    fields.put("source", message.source());
    fields.put("origin", message.origin());
    fields.put("destination", message.destination());
    fields.put("key", message.key());
    fields.put("type", message.type());
    fields.put("contentType", message.contentType());
    fields.put("time", text(message.time()));
    fields.put("expiresAt", text(message.expiresAt()));
    fields.put("headers", message.headers());
    fields.put("payloadBytes", message.payloadBytes());
    fields.put("reason", message.reason());
    fields.put("error", message.error());
    fields.put("attempts", message.attempts());
    fields.put("quarantinedAt", text(message.quarantinedAt()));
    fields.put("discardedAt", text(message.discardedAt()));
    fields.put("discardedBy", message.discardedBy());
    fields.put("redrive", message.redrive());
    return fields;
  }

  /** The same with the payload in base64. */
  static Map<String, @Nullable Object> withPayload(QuarantinedMessage message) {
    Map<String, @Nullable Object> fields = message(message);
    byte[] payload = message.payload();
    fields.put("payload", payload == null ? null : Base64.getEncoder().encodeToString(payload));
    return fields;
  }

  static Map<String, @Nullable Object> cause(QuarantineCause cause) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("consumer", cause.consumer());
    fields.put("reason", cause.reason());
    fields.put("error", cause.error());
    fields.put("count", cause.count());
    fields.put("oldest", text(cause.oldest()));
    fields.put("newest", text(cause.newest()));
    return fields;
  }

  static Map<String, @Nullable Object> redrive(Redrive redrive) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("number", redrive.number());
    fields.put("consumer", redrive.consumer());
    fields.put("requestedBy", redrive.requestedBy());
    fields.put("requestedAt", text(redrive.requestedAt()));
    fields.put("perSecond", redrive.perSecond());
    fields.put("selected", redrive.selected());
    fields.put("processed", redrive.processed());
    fields.put("duplicates", redrive.duplicates());
    fields.put("failed", redrive.failed());
    fields.put("waiting", redrive.waiting());
    fields.put("finishedAt", text(redrive.finishedAt()));
    return fields;
  }

  private static @Nullable String text(@Nullable Object value) {
    return value == null ? null : value.toString();
  }
}
