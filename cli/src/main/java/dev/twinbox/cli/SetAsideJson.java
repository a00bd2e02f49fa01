package dev.twinbox.cli;

import dev.twinbox.inbox.Redrive;
import dev.twinbox.setaside.AuditLine;
import dev.twinbox.setaside.Cause;
import dev.twinbox.setaside.SetAsideMessage;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is set aside, for machines. Times are ISO 8601 in UTC. */
final class SetAsideJson {
  private SetAsideJson() {}

  static Map<String, @Nullable Object> message(SetAsideMessage message) {
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
    fields.put("firstFailedAt", text(message.firstFailedAt()));
    fields.put("at", text(message.at()));
    fields.put("discardedAt", text(message.discardedAt()));
    fields.put("discardedBy", message.discardedBy());
    fields.put("redrive", message.redrive());
    fields.put("blocksKey", message.blocksKey());
    return fields;
  }

  static Map<String, @Nullable Object> cause(String where, Cause cause) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("cause", cause.cause());
    fields.put(where, cause.where());
    fields.put("reason", cause.reason());
    fields.put("error", cause.error());
    fields.put("frame", cause.frame());
    fields.put("count", cause.count());
    fields.put("oldest", text(cause.oldest()));
    fields.put("newest", text(cause.newest()));
    fields.put("lastError", cause.lastError());
    return fields;
  }

  static Map<String, @Nullable Object> line(AuditLine line) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("at", text(line.at()));
    fields.put("act", text(line.act()));
    fields.put("by", line.by());
    fields.put("action", line.action());
    fields.put("selection", line.selection());
    fields.put("messages", line.affected());
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
