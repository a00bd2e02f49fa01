package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Supervision;
import dev.twinbox.relay.store.DeadLetters.Cause;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts what a relay has done since it started, in all and by destination. Thread-safe.
 *
 * <p>Of destinations, {@value #MOST_DESTINATIONS} are told apart; what goes to more is counted
 * together, under {@code kafka:*} for the broker {@code kafka}.
 */
public final class Counters {
  /** So many destinations are told apart. */
  public static final int MOST_DESTINATIONS = 1_000;

  private static final Logger log = LoggerFactory.getLogger(Counters.class);

  /**
   * What became of a destination's messages.
   *
   * @param published messages that the broker has confirmed, repetitions included
   * @param unavailable how often it took nothing
   * @param deadLettered messages that were given up, by reason
   */
  public record Counts(long published, long unavailable, Map<String, Long> deadLettered) {
    public Counts {
      deadLettered = Map.copyOf(deadLettered);
    }
  }

  private static final class Tally {
    private final LongAdder published = new LongAdder();
    private final LongAdder unavailable = new LongAdder();
    private final Map<String, LongAdder> deadLettered = new ConcurrentHashMap<>();

    private Counts counts() {
      Map<String, Long> given = new TreeMap<>();
      deadLettered.forEach((reason, count) -> given.put(reason, count.sum()));
      return new Counts(published.sum(), unavailable.sum(), given);
    }
  }

  private final Map<String, Tally> destinations = new ConcurrentHashMap<>();
  private final List<Consumer<OutboxRecord>> listeners = new CopyOnWriteArrayList<>();
  private final LongAdder published = new LongAdder();
  private final LongAdder deadLettered = new LongAdder();
  private final LongAdder expired = new LongAdder();
  private final LongAdder windows = new LongAdder();

  void published(OutboxRecord record) {
    published.increment();
    tally(record.destination()).published.increment();
    for (Consumer<OutboxRecord> listener : listeners) {
      // A listener's failure is not to make the relay publish the message again.
      Supervision.run("a listener to what is published", () -> listener.accept(record));
    }
  }

  void unavailable(String destination) {
    tally(destination).unavailable.increment();
  }

  void windowSettled() {
    windows.increment();
  }

  void deadLettered(OutboxRecord record, Cause cause) {
    deadLettered.increment();
    if (cause.reason().equals(Outcome.Reason.EXPIRED.code())) {
      expired.increment();
    }
    tally(record.destination())
        .deadLettered
        .computeIfAbsent(cause.reason(), any -> new LongAdder())
        .increment();
    log.warn(
        "Message {} to {} is a dead letter: {} ({})",
        record.id(),
        record.destination(),
        cause.reason(),
        cause.error());
  }

  private Tally tally(String destination) {
    Tally known = destinations.get(destination);
    if (known != null) {
      return known;
    }
    return destinations.computeIfAbsent(counted(destination), any -> new Tally());
  }

  /** The name that a destination is counted under. */
  public String counted(String destination) {
    return destinations.containsKey(destination) || destinations.size() < MOST_DESTINATIONS
        ? destination
        : destination.substring(0, destination.indexOf(':') + 1) + "*";
  }

  /**
   * Has each message that a broker confirms shown to a listener, on the lane's thread: it must be
   * quick, and must not throw.
   */
  public void onPublished(Consumer<OutboxRecord> listener) {
    listeners.add(listener);
  }

  /** What became of each destination's messages. */
  public Map<String, Counts> byDestination() {
    Map<String, Counts> all = new TreeMap<>();
    destinations.forEach((destination, tally) -> all.put(destination, tally.counts()));
    return all;
  }

  /** What became of one destination's messages. */
  public Counts count(String destination) {
    Tally tally = destinations.get(destination);
    return tally == null ? new Counts(0, 0, Map.of()) : tally.counts();
  }

  /** Messages that a broker has confirmed. */
  public long publishedCount() {
    return published.sum();
  }

  /** Messages that were given up. */
  public long deadLetteredCount() {
    return deadLettered.sum();
  }

  /** Of those that were given up: messages whose expiry time has passed. */
  public long expiredCount() {
    return expired.sum();
  }

  /** Windows that were drained to their end. */
  public long windowCount() {
    return windows.sum();
  }
}
