package dev.twinbox.outbox;

import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/**
 * Where a message goes. The grammar:
 *
 * <pre>
 * destination = broker ":" address
 * broker      = kind [ "@" name ]           kafka, rabbitmq, kafka&#64;billing, rabbitmq&#64;eu
 * kind        = "kafka" | "rabbitmq"
 * name        = [a-z0-9][a-z0-9-]{0,31}
 * kafka       : address = topic             1 to 249 of [a-zA-Z0-9._-], not "." or ".."
 * rabbitmq    : address = exchange "/" key  split at the first slash; 255 bytes each at most
 * </pre>
 *
 * <p>{@code rabbitmq:/invoices} is the default exchange, so the queue named {@code invoices}; a
 * routing key may hold slashes, an exchange may not; {@code rabbitmq:events/} has an empty routing
 * key. Immutable.
 */
public sealed interface Destination permits KafkaDestination, RabbitDestination {
  /** Kafka or RabbitMQ. */
  Kind kind();

  /**
   * The broker among several of its kind, or null for the one without a name. In {@code
   * kafka@billing:invoices} it is {@code billing}.
   */
  @Nullable String brokerName();

  /** The part before the colon: {@code kafka}, {@code rabbitmq@eu}. Lanes belong to it. */
  default String broker() {
    return brokerName() == null ? kind().prefix() : kind().prefix() + '@' + brokerName();
  }

  /** The text form, which {@link #parse} reads and the outbox stores. */
  @Override
  String toString();

  /**
   * Reads the text form.
   *
   * @throws InvalidMessageException when it does not follow the grammar
   */
  static Destination parse(String text) {
    Texts.line("destination", text, 1024, "Name one, such as 'kafka:orders'.");
    int colon = text.indexOf(':');
    Matcher broker = DestinationGrammar.BROKER.matcher(colon < 0 ? "" : text.substring(0, colon));
    if (!broker.matches()) {
      throw new InvalidMessageException(
          "destination",
          ("destination %s begins with no broker. Write 'kafka:topic' or 'rabbitmq:exchange/key',"
                  + " with a named broker 'kafka@billing:topic' (name: a-z, 0-9 and '-', at most 32).")
              .formatted(Texts.shown(text)));
    }
    String name = broker.group(2);
    String address = text.substring(colon + 1);
    if (broker.group(1).equals(Kind.KAFKA.prefix())) {
      return new KafkaDestination(name, address);
    }
    int slash = address.indexOf('/');
    if (slash < 0) {
      throw new InvalidMessageException(
          "destination",
          "destination %s has no '/'. Write 'rabbitmq:exchange/routing.key', or 'rabbitmq:/queue' for a queue by its name."
              .formatted(Texts.shown(text)));
    }
    return new RabbitDestination(name, address.substring(0, slash), address.substring(slash + 1));
  }

  /** The kinds of brokers. */
  enum Kind {
    /** Apache Kafka. */
    KAFKA("kafka"),
    /** RabbitMQ. */
    RABBITMQ("rabbitmq");

    private final String prefix;

    Kind(String prefix) {
      this.prefix = prefix;
    }

    /** How destinations of this kind begin: {@code kafka}. */
    public String prefix() {
      return prefix;
    }
  }
}
