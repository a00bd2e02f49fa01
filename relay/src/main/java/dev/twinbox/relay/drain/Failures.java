package dev.twinbox.relay.drain;

import dev.twinbox.relay.publish.OutboxRecord;
import dev.twinbox.relay.publish.Outcome;
import dev.twinbox.relay.store.DeadLetters.Cause;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Remembers what failed on a lane and decides, by the retry policy, what has to be given up and how
 * long to wait. Memory only: when the lane is claimed anew, a message has its attempts and its
 * destination the grace period anew. Used by the lane's thread.
 */
final class Failures {
  private record Attempts(int count, Instant first) {}

  /** Since when a destination has been missing without a break; nanoseconds, no wall clock. */
  private record Missing(long since, long lastSeen, Instant first) {}

  private final RetryPolicy policy;
  private final InstantSource clock;
  private final LongSupplier nanoTime;
  private final RandomGenerator random = RandomGenerator.getDefault();
  private final Map<Long, Attempts> attempts = new HashMap<>();
  private final Map<String, Missing> missing = new HashMap<>();
  private int inARow;

  /**
   * @param clock dates what is stored
   * @param nanoTime measures the grace period
   */
  Failures(RetryPolicy policy, InstantSource clock, LongSupplier nanoTime) {
    this.policy = policy;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  /** Takes note of an outcome; a cause when the message is to be given up now. */
  Optional<Cause> judge(OutboxRecord record, Outcome outcome) {
    if (outcome instanceof Outcome.Rejected rejected) {
      return Optional.of(
          new Cause(rejected.reason().code(), rejected.detail(), 1, clock.instant()));
    }
    if (outcome instanceof Outcome.Failed failed) {
      return judgeFailed(record, failed);
    }
    if (outcome instanceof Outcome.Unavailable unavailable) {
      return judgeUnavailable(record, unavailable);
    }
    return Optional.empty();
  }

  private Optional<Cause> judgeFailed(OutboxRecord record, Outcome.Failed failed) {
    Attempts former = attempts.get(record.position());
    Attempts now =
        former == null
            ? new Attempts(1, clock.instant())
            : new Attempts(former.count() + 1, former.first());
    attempts.put(record.position(), now);
    missing.remove(record.destination());
    return now.count() < policy.maxAttempts()
        ? Optional.empty()
        : Optional.of(new Cause(failed.reason().code(), failed.detail(), now.count(), now.first()));
  }

  private Optional<Cause> judgeUnavailable(OutboxRecord record, Outcome.Unavailable unavailable) {
    if (unavailable.reason() != Outcome.Reason.UNROUTABLE
        && unavailable.reason() != Outcome.Reason.MISSING_DESTINATION) {
      missing.remove(record.destination());
      return Optional.empty();
    }
    long now = nanoTime.getAsLong();
    long grace = policy.gracePeriod().toNanos();
    Missing former = missing.get(record.destination());
    // Not looked at for longer than the grace period: what was seen then says nothing of now.
    boolean goesOn = former != null && now - former.lastSeen() <= Math.max(grace, forgetAfter());
    Missing seen =
        former != null && goesOn
            ? new Missing(former.since(), now, former.first())
            : new Missing(now, now, clock.instant());
    missing.put(record.destination(), seen);
    return now - seen.since() < grace
        ? Optional.empty()
        : Optional.of(
            new Cause(unavailable.reason().code(), unavailable.detail(), 0, seen.first()));
  }

  /** Pauses between two looks are part of the waiting. */
  private long forgetAfter() {
    return policy.longest().multipliedBy(3).toNanos();
  }

  /** A message got through: its destination is well, and its attempts are forgotten. */
  void published(OutboxRecord record) {
    inARow = 0;
    if (!attempts.isEmpty()) {
      attempts.remove(record.position());
    }
    if (!missing.isEmpty()) {
      missing.remove(record.destination());
    }
  }

  /** A message is a dead letter now. */
  void buried(OutboxRecord record) {
    attempts.remove(record.position());
  }

  /** The lane is not ours any more. */
  void forget() {
    attempts.clear();
    missing.clear();
  }

  /** How long to wait after another failure in a row. */
  Duration pause() {
    inARow++;
    return policy.pause(inARow, random);
  }
}
