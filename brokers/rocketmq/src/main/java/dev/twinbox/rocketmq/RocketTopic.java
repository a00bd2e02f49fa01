package dev.twinbox.rocketmq;

import dev.twinbox.broker.DestinationText;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A topic and perhaps a tag: the address of a destination in RocketMQ. Immutable.
 *
 * @param topic 1 to 127 of the characters {@code a-z A-Z 0-9 _ - % |}
 * @param tag at most 127 bytes without {@code |} and blanks, by which consumers may filter; null
 *     for none
 */
public record RocketTopic(String topic, @Nullable String tag) {
  private static final int MOST_BYTES = 127;
  private static final Pattern TOPIC = Pattern.compile("[%|a-zA-Z0-9_-]{1," + MOST_BYTES + "}");
  private static final Pattern TAG = Pattern.compile("[^|\\s]+");

  /** Refuses with {@link IllegalArgumentException} what RocketMQ would not take. */
  public RocketTopic {
    if (!TOPIC.matcher(topic).matches()) {
      throw new IllegalArgumentException(
          "%s is no topic of RocketMQ. Use 1 to %s of the characters a-z A-Z 0-9 _ - %% |."
              .formatted(DestinationText.shown(topic), MOST_BYTES));
    }
    if (tag != null) {
      DestinationText.requireLine("tag", tag, MOST_BYTES);
      if (!TAG.matcher(tag).matches() || tag.equals("*")) {
        throw new IllegalArgumentException(
            "%s is no tag that consumers could ask for. Leave out '|', blanks and a lone '*'."
                .formatted(DestinationText.shown(tag)));
      }
    }
  }

  /**
   * Reads an address: {@code orders}, or {@code orders/placed} with a tag.
   *
   * @throws IllegalArgumentException when it is none
   */
  public static RocketTopic parse(String address) {
    int slash = address.indexOf('/');
    return slash < 0
        ? new RocketTopic(address, null)
        : new RocketTopic(address.substring(0, slash), address.substring(slash + 1));
  }

  /**
   * Reads the text form of a destination, as in {@code rocketmq:orders/placed}.
   *
   * @return null when it is no destination of this broker, or no address
   */
  public static @Nullable RocketTopic at(String broker, String destination) {
    String address = DestinationText.addressAt(broker, destination);
    try {
      return address == null ? null : parse(address);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** The address, which {@link #parse} reads. */
  @Override
  public String toString() {
    return tag == null ? topic : topic + '/' + tag;
  }
}
