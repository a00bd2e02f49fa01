package dev.twinbox.kafka;

import dev.twinbox.broker.DestinationText;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A topic: the address of a destination in Kafka. Immutable.
 *
 * @param name 1 to 249 of letters, digits, '.', '_' and '-', as Kafka allows; not '.' or '..'
 */
public record KafkaTopic(String name) {
  private static final Pattern ALLOWED = Pattern.compile("[a-zA-Z0-9._-]{1,249}");

  /** Refuses with {@link IllegalArgumentException} what Kafka would not take as a topic. */
  public KafkaTopic {
    if (!ALLOWED.matcher(name).matches() || name.equals(".") || name.equals("..")) {
      throw new IllegalArgumentException(
          "%s is no topic; Kafka allows 1 to 249 letters, digits, '.', '_' and '-', and neither '.' nor '..'."
              .formatted(DestinationText.shown(name)));
    }
  }

  /**
   * Reads the text form, as in {@code kafka:orders}.
   *
   * @return null when it is no destination of this broker, or names no topic
   */
  public static @Nullable KafkaTopic at(String broker, String destination) {
    String address = DestinationText.addressAt(broker, destination);
    try {
      return address == null ? null : new KafkaTopic(address);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
