package dev.twinbox.outbox;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which headers a user may set. Limits are those that RabbitMQ and Kafka both carry with room to
 * spare: RabbitMQ's headers must fit one frame (128 KiB by default).
 */
final class HeaderRules {
  static final int MAX_HEADERS = 64;
  static final int MAX_BYTES = 32 * 1024;
  static final int MAX_NAME = 128;

  private static final List<String> RESERVED_PREFIXES =
      List.of("ce_", "cloudevents_", "cloudevents:", "twinbox", "x-first-death-", "x-last-death-");

  /** Set by us from other fields, or obeyed by a broker (cc and bcc would publish copies). */
  private static final Set<String> RESERVED =
      Set.of(
          "content-type",
          "content_type",
          "message-id",
          "message_id",
          "traceparent",
          "tracestate",
          "cc",
          "bcc",
          "x-death",
          "x-delivery-count");

  private HeaderRules() {}

  static void check(Map<String, String> earlier, @Nullable String name, @Nullable String value) {
    String checkedName = name(name);
    String checkedValue = Texts.present("header", value, "Leave the header out.");
    for (int i = 0; i < checkedValue.length(); i++) {
      char c = checkedValue.charAt(i);
      if (c == '\r' || c == '\n' || c == 0) {
        throw refused(
            "header '%s' has %s in its value at index %s. Remove or encode it."
                .formatted(checkedName, Texts.codeUnit(c), i));
      }
    }
    int bytes = checkedName.length() + size(checkedName, checkedValue);
    for (Map.Entry<String, String> other : earlier.entrySet()) {
      if (other.getKey().equalsIgnoreCase(checkedName)) {
        throw refused(
            "header '%s' is there already. Set each header once; case makes no difference."
                .formatted(checkedName));
      }
      bytes += other.getKey().length() + size(other.getKey(), other.getValue());
    }
    if (bytes > MAX_BYTES) {
      throw refused(
          "header '%s' brings the headers to %s; the limit is %s together. Move data into the payload."
              .formatted(checkedName, Texts.bytes(bytes), Texts.bytes(MAX_BYTES)));
    }
    if (earlier.size() >= MAX_HEADERS) {
      throw refused(
          "header '%s' would be number %s; the limit is %s. Move data into the payload."
              .formatted(checkedName, earlier.size() + 1, MAX_HEADERS));
    }
  }

  private static String name(@Nullable String name) {
    String present = Texts.present("header", name, "Give it a name.");
    boolean visible = !present.isEmpty() && present.length() <= MAX_NAME;
    for (int i = 0; visible && i < present.length(); i++) {
      visible = present.charAt(i) > 0x20 && present.charAt(i) < 0x7f;
    }
    if (!visible) {
      throw refused(
          "header name %s has %s characters; use 1 to %s visible ASCII characters without spaces."
              .formatted(Texts.shown(present), present.length(), MAX_NAME));
    }
    String lower = present.toLowerCase(Locale.ROOT);
    boolean reserved = RESERVED.contains(lower);
    for (String prefix : RESERVED_PREFIXES) {
      reserved |= lower.startsWith(prefix);
    }
    if (reserved) {
      throw refused(
          ("header name %s is reserved: it is written from the message's own fields or obeyed by a"
                  + " broker. Choose another name, or set the field (contentType, id, traceparent on"
                  + " the Outbox).")
              .formatted(Texts.shown(present)));
    }
    return present;
  }

  private static int size(String name, String value) {
    int bytes = Texts.utf8Length(value);
    if (bytes < 0) {
      throw refused(
          "header '%s' has half a surrogate pair in its value. Cut text between code points, not between chars."
              .formatted(name));
    }
    return bytes;
  }

  private static InvalidMessageException refused(String message) {
    return new InvalidMessageException("header", message);
  }
}
