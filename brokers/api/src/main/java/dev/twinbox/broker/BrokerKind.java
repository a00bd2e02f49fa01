package dev.twinbox.broker;

import dev.twinbox.broker.doctor.Check;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A kind of broker: all that Twinbox needs to know of it to check its destinations, publish to it,
 * examine it and show how far its consumers are behind. Stateless and thread-safe.
 *
 * <p>Found by {@link java.util.ServiceLoader}: name the class, which needs a public constructor
 * without parameters, in {@code META-INF/services/dev.twinbox.broker.BrokerKind}. Services that
 * only enqueue load it too, so all but {@link #open} must work without the broker's client.
 */
public interface BrokerKind {
  /**
   * How destinations of this kind begin, and the section of its settings: {@code kafka}. A letter,
   * then letters and digits, at most 32, in lower case; never {@code db}, {@code retry}, {@code
   * rate} or {@code schema}, which are sections of their own. Keep it: outboxes store it.
   */
  String prefix();

  /** What an address consists of, for errors and help: {@code topic}, {@code exchange/key}. */
  String addressForm();

  /**
   * Checks the part of a destination after the colon. It is one line of text, not empty, at most
   * 1024 bytes with the broker, without control characters: that was checked before.
   *
   * @throws IllegalArgumentException that names what is wrong, the limit and the remedy
   */
  void checkAddress(String address);

  /** How messages are consumed. */
  Consumption consumption();

  /**
   * The client properties that have an option on the command line: one at least, the one that says
   * where the broker is first. Others are set in the file or the environment only.
   */
  List<ClientSetting> settings();

  /**
   * The broker. No connection is made yet.
   *
   * @param name the prefix, or with a name {@code kafka@billing}
   * @param properties of its client; asked anew for each connection, so that rotated credentials
   *     are taken up
   * @throws IllegalArgumentException if a property is missing, or would break a guarantee; names
   *     the property, its value unless that may be a secret, and the remedy
   */
  Broker open(String name, Supplier<Map<String, String>> properties);

  /**
   * What examinations of this kind look for, beside {@link dev.twinbox.broker.doctor.CommonCheck}.
   */
  List<Check> checks();

  /** How messages are consumed, and so what a consumer and a message's origin are called. */
  enum Consumption {
    /**
     * A group reads topics; a message is known by its place: {@code kafka:topic/partition/offset},
     * where a topic has no slash.
     */
    TOPICS,
    /** Consumers share a queue; a message is known by its id: {@code rabbitmq:queue/id}. */
    QUEUES
  }

  /**
   * A property of the broker's client that can be given as an option.
   *
   * @param name as the client calls it, {@code bootstrap.servers}. The option is then {@code
   *     --kafka-bootstrap-servers}, the environment variable {@code
   *     TWINBOX_KAFKA_BOOTSTRAP_SERVERS}, the key of the file {@code kafka.bootstrap.servers}
   * @param label what its value is, for help: {@code HOST:PORT,...}
   * @param description for help, without a full stop
   */
  record ClientSetting(String name, String label, String description) {}
}
