package dev.twinbox.outbox;

import org.jspecify.annotations.Nullable;

/**
 * A Kafka topic. Immutable.
 *
 * @param brokerName the cluster among several, or null for the one without a name
 * @param topic 1 to 249 of letters, digits, '.', '_' and '-', as Kafka allows
 */
public record KafkaDestination(@Nullable String brokerName, String topic) implements Destination {
  /** Refuses with {@link InvalidMessageException} what Kafka would not take as a topic. */
  public KafkaDestination {
    DestinationGrammar.name(brokerName);
    if (!DestinationGrammar.TOPIC.matcher(topic).matches()
        || topic.equals(".")
        || topic.equals("..")) {
      throw new InvalidMessageException(
          "destination",
          "destination names the topic %s; Kafka allows 1 to 249 letters, digits, '.', '_' and '-', and neither '.' nor '..'."
              .formatted(Texts.shown(topic)));
    }
  }

  @Override
  public Kind kind() {
    return Kind.KAFKA;
  }

  @Override
  public String toString() {
    return broker() + ':' + topic;
  }
}
