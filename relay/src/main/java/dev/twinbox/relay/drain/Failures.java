package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.relay.store.DeadLetters.Cause;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Decides, by the retry policies, what becomes of a message that was not published. Remembers since
 * when destinations have been missing; memory only, so that they have the grace period anew when
 * the lane is claimed anew. Used by the lane's thread.
 */
final class Failures {
  /** The broker answered that it has no place for the message. */
  private static final Set<Reason> MISSING =
      EnumSet.of(Reason.UNROUTABLE, Reason.MISSING_DESTINATION);

  private static final int MOST_MISSING = 10_000;

  /** What is to be done with a message. */
  sealed interface Verdict {
    /** It becomes a dead letter. */
    record GiveUp(Cause cause) implements Verdict {}

    /** It is tried again, by itself, after a pause. */
    record TryLater(String reason, String error, int attempts, Duration pause) implements Verdict {}

    /** Its destination has to be waited for. */
    record Wait(Outcome.Unavailable outcome) implements Verdict {}

    /**
     * It was refused, and nothing shows that by its own fault: tried again by itself, after a pause
     * and without counting that as an attempt.
     *
     * @param several whether its destination refuses others as well, and confirms none
     */
    record Refused(TryLater later, Reason cause, boolean several) implements Verdict {}

    /** It goes out again as soon as it can. */
    record Repeat() implements Verdict {}
  }

  /** Since when a destination has been missing without a break; nanoseconds, no wall clock. */
  private record Missing(long since, long lastSeen, Instant first) {}

  private static final Verdict REPEAT = new Verdict.Repeat();

  private final RetryPolicies policies;
  private final InstantSource clock;
  private final LongSupplier nanoTime;
  private final RandomGenerator random = RandomGenerator.getDefault();
  private final Map<String, Missing> missing = new HashMap<>();
  private boolean missingTogether;
  private final Refusals refusals;
  private int inARow;

  /**
   * @param clock dates what is stored
   * @param nanoTime measures the grace period
   */
  Failures(RetryPolicies policies, InstantSource clock, LongSupplier nanoTime) {
    this.policies = policies;
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.refusals = new Refusals(nanoTime);
  }

  /** Judges a message that has not failed before. */
  Verdict judge(OutboxRecord record, @Nullable Outcome outcome) {
    return judge(record, outcome, 0, null);
  }

  /**
   * Judges a message by its outcome, other than Published.
   *
   * @param attempts how often it has failed before
   * @param firstFailedAt when it failed first, or null for now
   */
  Verdict judge(
      OutboxRecord record,
      @Nullable Outcome outcome,
      int attempts,
      @Nullable Instant firstFailedAt) {
    Instant first = firstFailedAt == null ? clock.instant() : firstFailedAt;
    if (outcome instanceof Outcome.Rejected rejected) {
      return giveUp(record, rejected.reason(), rejected.detail(), attempts + 1, first);
    }
    if (outcome instanceof Outcome.Failed failed) {
      found(record.destination());
      return judgeFailed(record, failed, attempts, first);
    }
    if (outcome instanceof Outcome.Unavailable unavailable) {
      return judgeUnavailable(record, unavailable, attempts);
    }
    return REPEAT;
  }

  private Verdict judgeFailed(
      OutboxRecord record, Outcome.Failed failed, int attempts, Instant first) {
    RetryPolicy policy = policies.of(record.destination());
    String destination = record.destination();
    if (failed.reason() == Reason.NACKED && !refusals.isOwnFault(destination, record.position())) {
      int tries = Math.max(attempts, refusals.tries(destination, record.position()));
      return new Verdict.Refused(
          tryLater(failed, attempts, policy.pause(tries, random)),
          failed.reason(),
          refusals.refusesSeveral(destination));
    }
    int now = attempts + 1;
    return now >= policy.maxAttempts()
        ? giveUp(record, failed.reason(), failed.detail(), now, first)
        : tryLater(failed, now, policy.pause(now, random));
  }

  private static Verdict.TryLater tryLater(Outcome.Failed failed, int attempts, Duration pause) {
    return new Verdict.TryLater(failed.reason().code(), failed.detail(), attempts, pause);
  }

  /** Whether the message would hold back what follows with its key, as a dead letter. */
  boolean blocks(OutboxRecord record) {
    return record.key() != null && policies.of(record.destination()).blockKeyOnDeadLetter();
  }

  private Verdict giveUp(
      OutboxRecord record, Reason reason, String detail, int attempts, Instant first) {
    refusals.givenUp(record.destination(), record.position());
    return new Verdict.GiveUp(new Cause(reason.code(), detail, attempts, first, blocks(record)));
  }

  private Verdict judgeUnavailable(
      OutboxRecord record, Outcome.Unavailable unavailable, int attempts) {
    RetryPolicy policy = policies.of(record.destination());
    if (!MISSING.contains(unavailable.reason())) {
      found(record.destination());
      return new Verdict.Wait(unavailable);
    }
    long now = nanoTime.getAsLong();
    long grace = policy.gracePeriod().toNanos();
    String name = missingName(record.destination());
    Missing former = missing.get(name);
    // Not looked at for longer than the grace period: what was seen then says nothing of now.
    boolean goesOn =
        former != null && now - former.lastSeen() <= Math.max(grace, forgetAfter(policy));
    Missing seen =
        former != null && goesOn
            ? new Missing(former.since(), now, former.first())
            : new Missing(now, now, clock.instant());
    missing.put(name, seen);
    return now - seen.since() < grace || policy.afterGrace() == RetryPolicy.AfterGrace.WAIT
        ? new Verdict.Wait(unavailable)
        : giveUp(record, unavailable.reason(), unavailable.detail(), attempts, seen.first());
  }

  /**
   * Behind a mis-bound exchange there is no end of routing keys: beyond so many, those of one
   * exchange are missing together, until one of them is found.
   */
  private String missingName(String destination) {
    if (missing.size() < MOST_MISSING || missing.containsKey(destination)) {
      return destination;
    }
    missingTogether = true;
    return together(destination);
  }

  private void found(String destination) {
    missing.remove(destination);
    if (missingTogether) {
      missing.remove(together(destination));
    }
  }

  private static String together(String destination) {
    int end = Math.max(destination.indexOf('/'), destination.indexOf(':'));
    return destination.substring(0, end + 1) + "*";
  }

  /** Pauses between two looks are part of the waiting. */
  private static long forgetAfter(RetryPolicy policy) {
    return policy.longest().multipliedBy(3).toNanos();
  }

  /** A message got through: its destination is well. */
  void published(OutboxRecord record) {
    inARow = 0;
    refusals.confirmed(record.destination(), record.position());
    if (!missing.isEmpty()) {
      found(record.destination());
    }
  }

  /** The lane is not ours any more. */
  void forget() {
    missing.clear();
    missingTogether = false;
    refusals.forget();
  }

  /** How long to wait after another failure in a row. */
  Duration pause() {
    inARow++;
    return policies.otherwise().pause(inARow, random);
  }

  /** How long to leave a destination alone after so many failures in a row. */
  Duration pause(String destination, int failures) {
    return policies.of(destination).pause(failures, random);
  }
}
