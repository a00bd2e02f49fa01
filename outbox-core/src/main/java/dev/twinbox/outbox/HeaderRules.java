package dev.twinbox.outbox;

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

  private static final Set<String> RESERVED_PREFIXES =
      Set.of("ce_", "cloudevents_", "cloudevents:", "twinbox", "x-first-death-", "x-last-death-");

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
    String field = "header " + Texts.shown(name(name));
    String present = Texts.present(field, value, "Leave the header out.");
    for (int i = 0; i < present.length(); i++) {
      char c = present.charAt(i);
      if (c == '\r' || c == '\n' || c == 0) {
        throw refused(
            field
                + " has U+%04X in its value at index %d. Remove or encode it."
                    .formatted((int) c, i));
      }
    }
    int bytes = size(field, earlier.values()) + size(field, earlier.keySet());
    bytes += Texts.utf8Length(field, name(name)) + Texts.utf8Length(field, present);
    if (bytes > MAX_BYTES) {
      throw refused(
          "%s brings the headers to %s; the limit is %s together. Move data into the payload."
              .formatted(field, Texts.bytes(bytes), Texts.bytes(MAX_BYTES)));
    }
    if (earlier.size() >= MAX_HEADERS) {
      throw refused(
          "%s would be header number %d; the limit is %d. Move data into the payload."
              .formatted(field, earlier.size() + 1, MAX_HEADERS));
    }
    for (String other : earlier.keySet()) {
      if (other.equalsIgnoreCase(name)) {
        throw refused(field + " is there already. Set each header once; case makes no difference.");
      }
    }
  }

  private static String name(@Nullable String name) {
    String present = Texts.present("header", name, "Give it a name.");
    boolean visible = present.chars().allMatch(c -> c > 0x20 && c < 0x7f);
    if (!visible || present.isEmpty() || present.length() > MAX_NAME) {
      throw refused(
          "header name %s has %d characters; use 1 to %d visible ASCII characters without spaces."
              .formatted(Texts.shown(present), present.length(), MAX_NAME));
    }
    String lower = present.toLowerCase(Locale.ROOT);
    if (RESERVED.contains(lower) || RESERVED_PREFIXES.stream().anyMatch(lower::startsWith)) {
      throw refused(
          ("header name %s is reserved: it is written from the message's own fields or obeyed by a"
                  + " broker. Choose another name, or set the field (contentType, id, traceparent on"
                  + " the Outbox).")
              .formatted(Texts.shown(present)));
    }
    return present;
  }

  private static int size(String field, Iterable<String> texts) {
    int bytes = 0;
    for (String text : texts) {
      bytes += Texts.utf8Length(field, text);
    }
    return bytes;
  }

  private static InvalidMessageException refused(String message) {
    return new InvalidMessageException("header", message);
  }
}
