package dev.twinbox.relay.drain;

import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.relay.store.Parked.Cap;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lane's destinations that are not well, and what is done for the lane's sake: after a while
 * the messages of a broken destination are parked, and it is probed now and then. Memory only. Used
 * by the lane's thread; what is in trouble can be asked by any.
 *
 * <p>Of destinations that are not well, {@value #MOST_BROKEN} are remembered: behind a mis-bound
 * exchange there is no end of routing keys. One that is forgotten is tried again, and fails again.
 */
final class Destinations {
  private static final Logger log = LoggerFactory.getLogger(Destinations.class);

  private static final int MOST_BROKEN = 1_000;
  private static final long TELL_AGAIN_NANOS = Duration.ofMinutes(1).toNanos();

  /** Pauses of a destination that refuses grow up to here, since one of its messages may be why. */
  private static final int MOST_IN_A_ROW = 4;

  /** When so many were confirmed, all may be tried again, those that were refused included. */
  private static final int WIDE_OPEN = 250;

  private static final String RATE_LIMITED = "rate-limited";

  /** The broker itself answered, so it works for others. */
  private static final Set<Reason> OF_ONE_DESTINATION =
      EnumSet.of(
          Reason.UNROUTABLE,
          Reason.MISSING_DESTINATION,
          Reason.NOT_AUTHORISED,
          Reason.NOT_ENOUGH_REPLICAS,
          Reason.NO_LEADER,
          Reason.UNKNOWN_DESTINATION,
          Reason.UNSAFE,
          Reason.WRONG_CLOCK,
          Reason.REFUSED,
          Reason.MALFORMED,
          Reason.TOO_LARGE,
          Reason.NACKED);

  /** Only the broker as a whole can be at fault. */
  private static final Set<Reason> OF_THE_BROKER =
      EnumSet.of(Reason.BLOCKED, Reason.NOT_AUTHENTICATED);

  private static final class Broken {
    private final long since;
    private Reason reason = Reason.OTHER;
    private long pausedUntil;
    private int inARow;
    private boolean parked;

    private Broken(long now) {
      since = now;
      pausedUntil = now;
    }
  }

  private final int lane;
  private final RetryPolicies policies;
  private final Failures failures;
  private final Counters counters;
  private final Map<String, Broken> broken = Bounded.map(MOST_BROKEN);

  /** When it was last said that a destination is parked. */
  private final Map<String, Long> toldAt = Bounded.map(MOST_BROKEN);

  /** Of which nobody has said yet that they take messages again. */
  private final Map<String, Boolean> told = Bounded.map(MOST_BROKEN);

  /** What may be tried of those parked for a destination that has refused some. */
  private final Map<String, Cap> openings = Bounded.map(MOST_BROKEN);

  private long lastPublished;
  private boolean anyPublished;
  private final Set<String> limited = new HashSet<>();
  private boolean evacuating;

  Destinations(int lane, RetryPolicies policies, Failures failures, Counters counters) {
    this.lane = lane;
    this.policies = policies;
    this.failures = failures;
    this.counters = counters;
  }

  /** What takes nothing, for any thread. */
  synchronized List<Trouble> troubles() {
    return broken.entrySet().stream()
        .map(
            each ->
                new Trouble(
                    each.getKey(),
                    each.getValue().reason.code(),
                    each.getValue().since,
                    each.getValue().parked || evacuating))
        .toList();
  }

  /** A message could not go to this destination. */
  synchronized void failed(String destination, Reason reason, long now) {
    Broken state = failing(destination, reason, now);
    state.pausedUntil = now + failures.pause(destination, state.inARow).toNanos();
  }

  /**
   * The destination refused messages, which may be their own fault: those behind them are tried
   * next, and soon.
   *
   * @param position the last one
   */
  synchronized void refused(String destination, Reason reason, long position, long now) {
    Broken state = failing(destination, reason, now);
    int inARow = Math.min(state.inARow, MOST_IN_A_ROW);
    state.pausedUntil = now + failures.pause(destination, inARow).toNanos();
    openings.put(destination, new Cap(1, position));
  }

  /** Nothing waits behind the last one that was refused: the first one is next. */
  synchronized void probeFromTheFirst(String destination) {
    openings.computeIfPresent(destination, (any, cap) -> Cap.of(cap.rows()));
  }

  private Broken failing(String destination, Reason reason, long now) {
    Broken state = broken.computeIfAbsent(destination, any -> new Broken(now));
    state.reason = reason;
    state.inARow++;
    counters.unavailable(destination);
    return state;
  }

  /** A message got through: the broker works, and this destination does. */
  synchronized void published(String destination, long now) {
    lastPublished = now;
    anyPublished = true;
    evacuating = false;
    if (!openings.isEmpty()) {
      openings.computeIfPresent(destination, (any, cap) -> wider(cap));
    }
    Broken former = broken.isEmpty() ? null : broken.remove(destination);
    if (former != null && former.parked && told.remove(destination) != null) {
      log.info("Lane {}: {} takes messages again; parked ones go first", lane, destination);
    }
  }

  /**
   * Whether this destination has been broken for so long, while the broker works, that the lane
   * should go on without it.
   */
  synchronized boolean isToBeParked(String destination, long now) {
    Broken state = broken.get(destination);
    if (state == null || now - state.since < policies.of(destination).parkAfter().toNanos()) {
      return false;
    }
    boolean othersWork =
        anyPublished && lastPublished - state.since > 0 && !OF_THE_BROKER.contains(state.reason);
    return OF_ONE_DESTINATION.contains(state.reason) || othersWork;
  }

  /** From now on this destination's messages are parked as they come, until one gets through. */
  synchronized void park(String destination, long now) {
    Broken state = broken.computeIfAbsent(destination, any -> new Broken(now));
    if (!state.parked && isToBeTold(destination, now)) {
      log.warn(
          "Lane {}: {} takes no messages ({}); they are parked, in order, until it does",
          lane,
          destination,
          state.reason.code());
    }
    state.parked = true;
  }

  /** One that takes a message now and then would be told of again and again. */
  private boolean isToBeTold(String destination, long now) {
    Long before = toldAt.get(destination);
    boolean isNews = before == null || now - before > TELL_AGAIN_NANOS;
    if (isNews) {
      toldAt.put(destination, now);
      told.put(destination, true);
    }
    return isNews;
  }

  /** From now on a limited destination's messages are parked as they come, so that others go on. */
  void limit(String destination) {
    if (limited.add(destination)) {
      log.debug("Lane {}: {} has its rate limit; its messages are parked", lane, destination);
    }
  }

  /** What was parked for its limit has gone. */
  void unlimit(String destination) {
    limited.remove(destination);
  }

  boolean isAnyLimited() {
    return !limited.isEmpty();
  }

  /** Whether a message is parked for its destination's limit, and for nothing else. */
  synchronized boolean isLimited(String destination) {
    return !evacuating && limited.contains(destination) && !broken.containsKey(destination);
  }

  /** Whether a message for this destination is parked as it comes. */
  synchronized boolean isParked(String destination) {
    if (evacuating || limited.contains(destination)) {
      return true;
    }
    Broken state = broken.isEmpty() ? null : broken.get(destination);
    return state != null && state.parked;
  }

  /** The code of the reason for which messages are parked. */
  synchronized String reason(String destination) {
    Broken state = broken.get(destination);
    if (state != null) {
      return state.reason.code();
    }
    return limited.contains(destination) ? RATE_LIMITED : Reason.UNREACHABLE.code();
  }

  /** From now on everything is parked as it comes, until something gets through. */
  synchronized void evacuate() {
    evacuating = true;
  }

  boolean isEvacuating() {
    return evacuating;
  }

  private static @Nullable Cap wider(Cap cap) {
    return cap.rows() < WIDE_OPEN ? new Cap(cap.rows() + 1, cap.beyond()) : null;
  }

  /**
   * How many parked messages may be tried now: of each broken destination none, or a probe; of one
   * that has refused some, one more for each that it has confirmed since.
   */
  synchronized Map<String, Cap> caps(long now) {
    Map<String, Cap> caps = new HashMap<>(openings);
    broken.forEach(
        (name, state) -> {
          Cap opening = openings.get(name);
          int rows = now - state.pausedUntil < 0 ? 0 : 1;
          caps.put(name, opening == null ? Cap.of(rows) : new Cap(rows, opening.beyond()));
        });
    return caps;
  }

  /** The lane is not ours any more. */
  synchronized void forget() {
    broken.clear();
    openings.clear();
    limited.clear();
    anyPublished = false;
    evacuating = false;
  }
}
