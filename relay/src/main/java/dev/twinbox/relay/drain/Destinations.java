package dev.twinbox.relay.drain;

import dev.twinbox.relay.publish.Outcome.Reason;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lane's destinations that are not well, and what is done for the lane's sake: after a while
 * the messages of a broken destination are parked, and it is probed now and then. Memory only. Used
 * by the lane's thread.
 */
final class Destinations {
  private static final Logger log = LoggerFactory.getLogger(Destinations.class);

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
  private final Map<String, Broken> broken = new HashMap<>();
  private long lastPublished;
  private boolean anyPublished;
  private final Set<String> limited = new HashSet<>();
  private boolean evacuating;
  private volatile List<Trouble> troubles = List.of();

  Destinations(int lane, RetryPolicies policies, Failures failures, Counters counters) {
    this.lane = lane;
    this.policies = policies;
    this.failures = failures;
    this.counters = counters;
  }

  /** What takes nothing, for any thread. */
  List<Trouble> troubles() {
    return troubles;
  }

  private void tellTroubles() {
    troubles =
        broken.entrySet().stream()
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
  void failed(String destination, Reason reason, long now) {
    Broken state = broken.computeIfAbsent(destination, any -> new Broken(now));
    state.reason = reason;
    state.inARow++;
    state.pausedUntil = now + failures.pause(destination, state.inARow).toNanos();
    counters.unavailable(destination);
    tellTroubles();
  }

  /** A message got through: the broker works, and this destination does. */
  void published(String destination, long now) {
    lastPublished = now;
    anyPublished = true;
    evacuating = false;
    Broken former = broken.isEmpty() ? null : broken.remove(destination);
    if (former != null) {
      tellTroubles();
    }
    if (former != null && former.parked) {
      log.info("Lane {}: {} takes messages again; parked ones go first", lane, destination);
    }
  }

  /**
   * Whether this destination has been broken for so long, while the broker works, that the lane
   * should go on without it.
   */
  boolean isToBeParked(String destination, long now) {
    Broken state = broken.get(destination);
    if (state == null || now - state.since < policies.of(destination).parkAfter().toNanos()) {
      return false;
    }
    boolean othersWork =
        anyPublished && lastPublished - state.since > 0 && !OF_THE_BROKER.contains(state.reason);
    return OF_ONE_DESTINATION.contains(state.reason) || othersWork;
  }

  /** From now on this destination's messages are parked as they come, until one gets through. */
  void park(String destination, long now) {
    Broken state = broken.computeIfAbsent(destination, any -> new Broken(now));
    if (!state.parked) {
      log.warn(
          "Lane {}: {} takes no messages ({}); they are parked, in order, until it does",
          lane,
          destination,
          state.reason.code());
    }
    state.parked = true;
    tellTroubles();
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
  boolean isLimited(String destination) {
    return !evacuating && limited.contains(destination) && !broken.containsKey(destination);
  }

  /** Whether a message for this destination is parked as it comes. */
  boolean isParked(String destination) {
    if (evacuating || limited.contains(destination)) {
      return true;
    }
    Broken state = broken.isEmpty() ? null : broken.get(destination);
    return state != null && state.parked;
  }

  /** The code of the reason for which messages are parked. */
  String reason(String destination) {
    Broken state = broken.get(destination);
    if (state != null) {
      return state.reason.code();
    }
    return limited.contains(destination) ? RATE_LIMITED : Reason.UNREACHABLE.code();
  }

  /** From now on everything is parked as it comes, until something gets through. */
  void evacuate() {
    evacuating = true;
    tellTroubles();
  }

  boolean isEvacuating() {
    return evacuating;
  }

  /** How many parked messages of each broken destination may be tried now: none, or a probe. */
  Map<String, Integer> caps(long now) {
    Map<String, Integer> caps = new HashMap<>();
    broken.forEach((name, state) -> caps.put(name, now - state.pausedUntil < 0 ? 0 : 1));
    return caps;
  }

  /** The lane is not ours any more. */
  void forget() {
    broken.clear();
    limited.clear();
    anyPublished = false;
    evacuating = false;
    tellTroubles();
  }
}
