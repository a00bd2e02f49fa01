package dev.twinbox.relay.drain;

import java.time.Duration;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells a message that is refused by its own fault from one whose destination refuses everything,
 * as a full queue does. A refusal by itself does not say which. So one is held against the message
 * only when others of its destination were confirmed since it was refused first, and is not when
 * others are refused, too: what has filled up lets one through now and then. A message with nobody
 * beside it cannot be told apart, and waits; nothing is lost by that.
 *
 * <p>Memory only: after a takeover the evidence is gathered anew. Bounded. Used by the lane's
 * thread.
 */
final class Refusals {
  private static final int MOST_DESTINATIONS = 1_000;
  private static final int MOST_MESSAGES = 1_000;

  /** So many confirmed for each refused one show that the destination takes what it can. */
  private static final long CONFIRMED_FOR_EACH = 4;

  /** For so long it is remembered that a destination has refused several messages. */
  private static final long REMEMBERED_NANOS = Duration.ofMinutes(10).toNanos();

  private static final class State {
    /** Confirmed since the first refusal. */
    private long confirmed;

    /** What was confirmed when it refused several messages. */
    private long confirmedThen;

    private @Nullable Long severalAt;

    /** Refused and not confirmed since: by position, what was confirmed at its first refusal. */
    private final Map<Long, Long> refused = Bounded.map(MOST_MESSAGES);
  }

  private final Map<String, State> states = Bounded.map(MOST_DESTINATIONS);
  private final LongSupplier nanoTime;

  Refusals(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /**
   * Takes note of a refusal.
   *
   * @param attempts how often it was held against the message before
   * @return whether it is the message's own fault
   */
  boolean isOwnFault(String destination, long position, int attempts) {
    State state = states.computeIfAbsent(destination, any -> new State());
    Long first = state.refused.putIfAbsent(position, state.confirmed);
    long since = Math.max(first == null ? state.confirmed : first, state.confirmedThen);
    long fresh = state.confirmed - since;
    int others = state.refused.size() - 1;
    long now = nanoTime.getAsLong();
    if (others > 0 && fresh < CONFIRMED_FOR_EACH * others) {
      state.severalAt = now;
      state.confirmedThen = state.confirmed;
      return false;
    }
    if (state.severalAt == null || now - state.severalAt > REMEMBERED_NANOS) {
      return fresh > 0 || attempts > 0;
    }
    if (fresh < CONFIRMED_FOR_EACH) {
      return false;
    }
    // Each further attempt needs new evidence.
    state.refused.put(position, state.confirmed);
    return true;
  }

  /** A message was confirmed. */
  void confirmed(String destination, long position) {
    State state = states.isEmpty() ? null : states.get(destination);
    if (state != null) {
      state.confirmed++;
      state.refused.remove(position);
    }
  }

  /** A message was given up. */
  void givenUp(String destination, long position) {
    State state = states.isEmpty() ? null : states.get(destination);
    if (state != null) {
      state.refused.remove(position);
    }
  }

  /** The lane is not ours any more. */
  void forget() {
    states.clear();
  }
}
