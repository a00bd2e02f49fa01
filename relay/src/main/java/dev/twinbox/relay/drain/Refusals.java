package dev.twinbox.relay.drain;

import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells a message that is refused by its own fault from one whose destination refuses everything,
 * as a full queue does. A refusal by itself does not say which. So one is held against the message
 * only when others of its destination were confirmed since it was refused last, and is not when
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

  /** So many refused with none confirmed between are not each at fault. */
  private static final int SEVERAL = 3;

  /**
   * What is known of a message that was refused.
   *
   * @param tries how often it was refused, the first one included
   * @param confirmed how many of its destination were confirmed when that was last held against it,
   *     or when it was refused first
   */
  private record Refused(int tries, long confirmed) {}

  private static final class State {
    /** Confirmed since the first refusal. */
    private long confirmed;

    /** What was confirmed when it refused several messages. */
    private long confirmedThen;

    private @Nullable Long severalAt;

    /** By position, those that were not confirmed since. */
    private final Map<Long, Refused> refused = Bounded.map(MOST_MESSAGES);

    /** Some of those that were refused with none confirmed since. */
    private final Set<Long> inARow = new HashSet<>();

    private boolean blames(long position, long now) {
      Refused before = refused.get(position);
      long since = Math.max(before == null ? confirmed : before.confirmed(), confirmedThen);
      long fresh = confirmed - since;
      int others = refused.size() - (before == null ? 0 : 1);
      if (others > 0 && fresh < CONFIRMED_FOR_EACH * others) {
        severalAt = now;
        confirmedThen = confirmed;
        return false;
      }
      boolean fillsUp = severalAt != null && now - severalAt <= REMEMBERED_NANOS;
      return fresh >= (fillsUp ? CONFIRMED_FOR_EACH : 1);
    }
  }

  private final Map<String, State> states = Bounded.map(MOST_DESTINATIONS);
  private final LongSupplier nanoTime;

  Refusals(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /**
   * Takes note of a refusal.
   *
   * @return whether it is the message's own fault; each time that it is called so needs new
   *     evidence
   */
  boolean isOwnFault(String destination, long position) {
    State state = states.computeIfAbsent(destination, any -> new State());
    boolean blamed = state.blames(position, nanoTime.getAsLong());
    Refused before = state.refused.get(position);
    state.refused.put(
        position,
        new Refused(
            before == null ? 1 : before.tries() + 1,
            before == null || blamed ? state.confirmed : before.confirmed()));
    if (state.inARow.size() < SEVERAL) {
      state.inARow.add(position);
    }
    return blamed;
  }

  /** How often this message was refused, held against it or not. */
  int tries(String destination, long position) {
    State state = states.get(destination);
    Refused known = state == null ? null : state.refused.get(position);
    return known == null ? 0 : known.tries();
  }

  /** Whether several were refused, and none was confirmed since. */
  boolean refusesSeveral(String destination) {
    State state = states.get(destination);
    return state != null && state.inARow.size() >= SEVERAL;
  }

  /** A message was confirmed. */
  void confirmed(String destination, long position) {
    State state = states.isEmpty() ? null : states.get(destination);
    if (state != null) {
      state.confirmed++;
      state.refused.remove(position);
      state.inARow.clear();
    }
  }

  /** A message was given up. */
  void givenUp(String destination, long position) {
    State state = states.isEmpty() ? null : states.get(destination);
    if (state != null) {
      state.refused.remove(position);
      state.inARow.remove(position);
    }
  }

  /** The lane is not ours any more. */
  void forget() {
    states.clear();
  }
}
