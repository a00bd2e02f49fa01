package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.relay.drain.Failures.Verdict;
import dev.twinbox.relay.store.DeadLetters.Lost;
import dev.twinbox.relay.store.Parked.Wait;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Sorts the messages that were in flight when something failed, in their order, into those to give
 * up, those to postpone, and the rest, which goes out again. Where a message goes out again,
 * nothing is decided yet about those behind it with the same key: parked before it, they could
 * overtake it.
 */
final class FailureTriage {
  private record Judged(OutboxRecord record, Verdict verdict) {}

  private final List<Judged> judged = new ArrayList<>();
  private final Set<String> publishedTo = new HashSet<>();
  private final List<Lost> lost = new ArrayList<>();
  private final List<OutboxRecord> lostRecords = new ArrayList<>();
  private final List<Wait> failed = new ArrayList<>();
  private final List<Wait> unavailable = new ArrayList<>();
  private final Set<String> openKeys = new HashSet<>();
  private @Nullable Outcome trouble;
  private @Nullable Outcome unknown;

  void published(OutboxRecord record) {
    publishedTo.add(record.destination());
  }

  void judged(OutboxRecord record, Verdict verdict) {
    judged.add(new Judged(record, verdict));
  }

  /** Takes note of an outcome that says nothing. */
  void unknown(@Nullable Outcome outcome) {
    if (unknown == null && outcome instanceof Outcome.Unknown) {
      unknown = outcome;
    }
  }

  /** Whether the lane has messages for others than these destinations. */
  @FunctionalInterface
  interface Others {
    boolean wait(Collection<String> destinations) throws SQLException;
  }

  /**
   * Takes note of the destinations that failed, and decides about each message.
   *
   * @param others asked before a destination is parked, since that would be for nothing if no
   *     others waited
   */
  void decide(Destinations destinations, long now, Others others) throws SQLException {
    noteDestinations(destinations, now, others);
    for (Judged each : judged) {
      String key = each.record.key();
      if (key != null && openKeys.contains(key)) {
        continue;
      }
      if (!isDecided(each.record, each.verdict, destinations) && key != null) {
        openKeys.add(key);
      }
    }
  }

  /**
   * A destination is not well when it was unavailable, or refused what went there. Where it refused
   * a few only, others of it are tried as they come: they show whose fault it is.
   */
  private void noteDestinations(Destinations destinations, long now, Others others)
      throws SQLException {
    Map<String, Outcome.Reason> failing = new LinkedHashMap<>();
    Map<String, Long> refusedLast = new HashMap<>();
    Set<String> hopeless = new HashSet<>();
    for (Judged each : judged) {
      String destination = each.record.destination();
      if (each.verdict instanceof Verdict.Wait wait) {
        failing.putIfAbsent(destination, wait.outcome().reason());
        hopeless.add(destination);
      } else if (each.verdict instanceof Verdict.Refused refused
          && !publishedTo.contains(destination)) {
        failing.putIfAbsent(destination, refused.cause());
        refusedLast.put(destination, each.record.position());
        if (refused.several()) {
          hopeless.add(destination);
        }
      }
    }
    failing.forEach(
        (destination, reason) -> {
          Long position = refusedLast.get(destination);
          if (position == null) {
            destinations.failed(destination, reason, now);
          } else {
            destinations.refused(destination, reason, position, now);
          }
        });
    List<String> broken =
        hopeless.stream().filter(name -> destinations.isToBeParked(name, now)).toList();
    if (!broken.isEmpty() && others.wait(failing.keySet())) {
      broken.forEach(destination -> destinations.park(destination, now));
    }
  }

  private boolean isDecided(OutboxRecord record, Verdict verdict, Destinations destinations) {
    if (verdict instanceof Verdict.GiveUp giveUp) {
      lost.add(new Lost(record.position(), giveUp.cause()));
      lostRecords.add(record);
      return true;
    }
    if (verdict instanceof Verdict.TryLater later) {
      postpone(record, later);
      return true;
    }
    if (verdict instanceof Verdict.Refused refused) {
      postpone(record, refused.later());
      return true;
    }
    if (verdict instanceof Verdict.Wait wait) {
      Outcome.Unavailable outcome = wait.outcome();
      if (destinations.isParked(record.destination())) {
        unavailable.add(
            new Wait(record.position(), outcome.reason().code(), outcome.detail(), 0, null));
        return true;
      }
      trouble = trouble == null ? outcome : trouble;
    }
    return false;
  }

  private void postpone(OutboxRecord record, Verdict.TryLater later) {
    failed.add(
        new Wait(
            record.position(), later.reason(), later.error(), later.attempts(), later.pause()));
  }

  /** What is to be given up. */
  List<Lost> lost() {
    return lost;
  }

  /** The messages of {@link #lost}, in the same order. */
  List<OutboxRecord> lostRecords() {
    return lostRecords;
  }

  /** What has failed by itself and is tried again after a pause. */
  List<Wait> failed() {
    return failed;
  }

  /** What has to be parked: {@link #failed}, and what waits for a destination that is parked. */
  List<Wait> toBeParked() {
    List<Wait> all = new ArrayList<>(failed);
    all.addAll(unavailable);
    return all;
  }

  /** An unavailability for which the lane has to pause. */
  Optional<Outcome> trouble() {
    return Optional.ofNullable(trouble);
  }

  /** The first outcome that was unknown. */
  Optional<Outcome> unknown() {
    return Optional.ofNullable(unknown);
  }

  /** Whether some message goes out again as it is. */
  boolean isAnythingRepeated() {
    return judged.size() > lost.size() + failed.size() + unavailable.size();
  }
}
