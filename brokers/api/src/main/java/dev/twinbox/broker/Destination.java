package dev.twinbox.broker;

import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Where a message goes: a broker, and an address there. The grammar:
 *
 * <pre>
 * destination = broker ":" address          1024 bytes in UTF-8 at most, no control characters
 * broker      = kind [ "@" name ]           kafka, rabbitmq, kafka&#64;billing, rabbitmq&#64;eu
 * kind        = [a-z][a-z0-9]{0,31}
 * name        = [a-z0-9][a-z0-9-]{0,31}
 * </pre>
 *
 * <p>What an address is belongs to its kind, and is checked where that is on the class path: a
 * topic for Kafka, {@code exchange/routing.key} or {@code /queue} for RabbitMQ. Elsewhere, as in a
 * service that only enqueues, any address is taken. Immutable.
 *
 * @param broker the part before the colon; lanes belong to it
 * @param address the part after the colon
 */
public record Destination(String broker, String address) {
  /** The most bytes of a destination in UTF-8. */
  public static final int MOST_BYTES = 1024;

  private static final Pattern BROKER =
      Pattern.compile("[a-z][a-z0-9]{0,31}(?:@[a-z0-9][a-z0-9-]{0,31})?");

  /** Refuses with {@link IllegalArgumentException} what does not follow the grammar. */
  public Destination {
    String text = broker + ':' + address;
    if (!isBroker(broker)) {
      throw new IllegalArgumentException(
          "destination %s begins with no broker. Write %s; one of several brokers of a kind has a name (a-z, 0-9 and '-', at most 32), as in 'kafka@billing:orders'."
              .formatted(DestinationText.shown(text), forms()));
    }
    if (address.isEmpty()) {
      throw new IllegalArgumentException(
          "destination %s has no address. Write %s."
              .formatted(DestinationText.shown(text), forms()));
    }
    DestinationText.requireLine("destination", text, MOST_BYTES);
    BrokerKinds.of(broker).ifPresent(kind -> check(kind, text, address));
  }

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException when it does not follow the grammar
   */
  public static Destination parse(String text) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException(
          "destination %s begins with no broker. Write %s."
              .formatted(DestinationText.shown(text), forms()));
    }
    return new Destination(text.substring(0, colon), text.substring(colon + 1));
  }

  /** Whether the text is a broker by the grammar, whether or not its kind is known. */
  public static boolean isBroker(String text) {
    return BROKER.matcher(text).matches();
  }

  /** The text form, which {@link #parse} reads and the outbox stores. */
  @Override
  public String toString() {
    return broker + ':' + address;
  }

  private static void check(BrokerKind kind, String text, String address) {
    try {
      kind.checkAddress(address);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "destination %s: %s".formatted(DestinationText.shown(text), e.getMessage()), e);
    }
  }

  private static String forms() {
    List<BrokerKind> kinds = BrokerKinds.all();
    return kinds.isEmpty()
        ? "'broker:address', as in 'kafka:orders'"
        : kinds.stream()
            .map(kind -> "'%s:%s'".formatted(kind.prefix(), kind.addressForm()))
            .collect(Collectors.joining(" or "));
  }
}
