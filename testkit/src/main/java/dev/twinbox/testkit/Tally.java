package dev.twinbox.testkit;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Compares what was committed with what was published and what was applied, message by message.
 *
 * <p>Tell it what happened, in any mixture, and then {@link #check()}. Only the published messages
 * among themselves, and those applied by one consumer among themselves, must come in the order in
 * which they appeared. It takes about 150 bytes a message. Safe for use by several threads.
 *
 * <pre>{@code
 * Tally tally = new Tally();
 * tally.committed(id, "customer 7", 1);
 * tally.published(id);
 * tally.applied("billing", id);
 * assertThat(tally.check().balanced()).isTrue();
 * }</pre>
 */
public final class Tally {
  private final Map<UUID, TalliedMessage> messages = new HashMap<>();
  private final Map<String, TallyView> consumers = new LinkedHashMap<>();
  private final UncertainPeriods uncertain = new UncertainPeriods();
  private @Nullable TallyView published = new TallyView("published", true);

  /**
   * A message whose transaction committed.
   *
   * @param key messages of one key are in order; those without a key are in none
   * @param orderWithinKey a message must not appear after one of the same key with a higher number;
   *     gaps are allowed, and equal numbers are in no order
   */
  public synchronized void committed(UUID id, @Nullable String key, long orderWithinKey) {
    message(id).enqueued(TalliedMessage.Outcome.COMMITTED, key, orderWithinKey);
  }

  /** A message that was enqueued and rolled back: it must not appear. */
  public synchronized void rolledBack(UUID id) {
    message(id).enqueued(TalliedMessage.Outcome.ROLLED_BACK, null, 0);
  }

  /** A message whose commit was not answered: it may appear or not, but once and in order. */
  public synchronized void unknown(UUID id, @Nullable String key, long orderWithinKey) {
    message(id).enqueued(TalliedMessage.Outcome.UNKNOWN, key, orderWithinKey);
  }

  /**
   * A message that was set aside with a reason, as a dead letter or as expired: it need not appear,
   * and if it does after all, then out of order.
   */
  public synchronized void setAside(UUID id) {
    message(id).setAside();
  }

  /** The next message read from the broker. Repeats are allowed; the first appearance counts. */
  public synchronized void published(UUID id) {
    TallyView view = published;
    if (view == null) {
      throw new IllegalStateException("This tally ignores publication");
    }
    view.saw(message(id));
  }

  /**
   * The same with the time of publication, at which repeats are judged: one is unexplained unless
   * there was {@link #doubt} between the message's first publication and its repetition.
   */
  public synchronized void published(UUID id, Instant at) {
    TallyView view = published;
    if (view == null) {
      throw new IllegalStateException("This tally ignores publication");
    }
    view.saw(message(id), at);
  }

  /** A time during which the publisher could not know what had been published. */
  public synchronized void doubt(Instant from, Instant to) {
    uncertain.add(from, to);
  }

  /** The next effect that a consumer committed. A repeat is a duplicate effect. */
  public synchronized void applied(String consumer, UUID id) {
    consumer(consumer).saw(message(id));
  }

  /** Expects a consumer to apply every message, even if it never applies any. */
  public synchronized void expectConsumer(String consumer) {
    consumer(consumer);
  }

  /** Checks only what was applied, where nobody reads along at the broker. */
  public synchronized void ignorePublication() {
    published = null;
  }

  /** What is missing, extra, doubled or turned round so far. */
  public synchronized TallyReport check() {
    List<TallyReport.View> views = new ArrayList<>();
    TallyView view = published;
    if (view != null) {
      views.add(view.check(messages.values(), uncertain));
    }
    consumers.values().forEach(consumer -> views.add(consumer.check(messages.values(), uncertain)));
    return new TallyReport(
        count(TalliedMessage.Outcome.COMMITTED),
        count(TalliedMessage.Outcome.ROLLED_BACK),
        count(TalliedMessage.Outcome.UNKNOWN),
        messages.values().stream().filter(TalliedMessage::isSetAside).count(),
        views);
  }

  private long count(TalliedMessage.Outcome outcome) {
    return messages.values().stream().filter(message -> message.outcome() == outcome).count();
  }

  private TalliedMessage message(UUID id) {
    TalliedMessage known = messages.get(id);
    if (known == null) {
      known = new TalliedMessage(id, messages.size());
      messages.put(id, known);
    }
    return known;
  }

  private TallyView consumer(String name) {
    return consumers.computeIfAbsent(name, n -> new TallyView("applied by " + n, false));
  }
}
