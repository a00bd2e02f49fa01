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
import java.util.random.RandomGenerator;

/**
 * Remembers what failed on a lane and decides, by the retry policy, what has to be given up and how
 * long to wait. Memory only: after a takeover a message has its attempts and its destination the
 * grace period anew. Used by the lane's thread.
 */
final class Failures {
  private record Attempts(int count, Instant first) {}

  private final RetryPolicy policy;
  private final InstantSource clock;
  private final RandomGenerator random = RandomGenerator.getDefault();
  private final Map<Long, Attempts> attempts = new HashMap<>();
  private final Map<String, Instant> missingSince = new HashMap<>();
  private int inARow;

  Failures(RetryPolicy policy, InstantSource clock) {
    this.policy = policy;
    this.clock = clock;
  }

  /** Takes note of an outcome; a cause when the message is to be given up now. */
  Optional<Cause> judge(OutboxRecord record, Outcome outcome) {
    if (outcome instanceof Outcome.Rejected rejected) {
      return Optional.of(
          new Cause(rejected.reason().code(), rejected.detail(), 1, clock.instant()));
    }
    if (outcome instanceof Outcome.Failed failed) {
      Attempts former = attempts.get(record.position());
      Attempts now =
          former == null
              ? new Attempts(1, clock.instant())
              : new Attempts(former.count() + 1, former.first());
      attempts.put(record.position(), now);
      return now.count() < policy.maxAttempts()
          ? Optional.empty()
          : Optional.of(
              new Cause(failed.reason().code(), failed.detail(), now.count(), now.first()));
    }
    if (outcome instanceof Outcome.Unavailable unavailable
        && (unavailable.reason() == Outcome.Reason.UNROUTABLE
            || unavailable.reason() == Outcome.Reason.MISSING_DESTINATION)) {
      Instant since =
          missingSince.computeIfAbsent(record.destination(), destination -> clock.instant());
      boolean waitedEnough =
          Duration.between(since, clock.instant()).compareTo(policy.gracePeriod()) >= 0;
      return waitedEnough
          ? Optional.of(new Cause(unavailable.reason().code(), unavailable.detail(), 0, since))
          : Optional.empty();
    }
    return Optional.empty();
  }

  /** A message got through: its destination is well, and its attempts are forgotten. */
  void published(OutboxRecord record) {
    inARow = 0;
    if (!attempts.isEmpty()) {
      attempts.remove(record.position());
    }
    if (!missingSince.isEmpty()) {
      missingSince.remove(record.destination());
    }
  }

  /** A message is a dead letter now. */
  void buried(OutboxRecord record) {
    attempts.remove(record.position());
  }

  /** How long to wait after another failure in a row. */
  Duration pause() {
    inARow++;
    return policy.pause(inARow, random);
  }
}
