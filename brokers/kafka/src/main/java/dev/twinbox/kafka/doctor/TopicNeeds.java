package dev.twinbox.kafka.doctor;

import java.time.Duration;

/**
 * What a topic has to hold.
 *
 * @param keyless whether messages without a key go there, as far as that is known
 * @param outage how long a consumer may be down without losing messages
 * @param horizon for how long consumers recognise repetitions
 * @param messageBytes the largest message that the outbox takes
 */
public record TopicNeeds(boolean keyless, Duration outage, Duration horizon, int messageBytes) {
  /** Keyed messages of up to 1,000,000 bytes, an outage of a day, a dedup horizon of 7 days. */
  public static final TopicNeeds DEFAULTS =
      new TopicNeeds(false, Duration.ofDays(1), Duration.ofDays(7), 1_000_000);

  /** The same, with messages without a key. */
  public TopicNeeds withKeyless(boolean some) {
    return new TopicNeeds(some, outage, horizon, messageBytes);
  }

  /** The same, with another dedup horizon. */
  public TopicNeeds withHorizon(Duration other) {
    return new TopicNeeds(keyless, outage, other, messageBytes);
  }
}
