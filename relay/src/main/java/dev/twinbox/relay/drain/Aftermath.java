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
 * What is to be done after trouble with the messages that were in flight: given in their order,
 * they are sorted into those to give up, those to leave alone for a while, and the rest, which goes
 * out again. Where a message goes out again, nothing is decided yet about those behind it with the
 * same key: parked before it, they could overtake it.
 */
final class Aftermath {
  private record Judged(OutboxRecord record, Verdict verdict) {}

  private final List<Judged> judged = new ArrayList<>();
  private final Set<String> publishedTo = new HashSet<>();
  private final List<Lost> lost = new ArrayList<>();
  private final List<OutboxRecord> lostRecords = new ArrayList<>();
  private final List<Wait> failed = new ArrayList<>();
  private final List<Wait> unavailable = new ArrayList<>();
  private final Set<String> openKeys = new HashSet<>();
  private final Set<String> refusing = new HashSet<>();
  private final Set<String> setAside = new HashSet<>();
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
   * A destination is not well when it was unavailable, or refused several messages, or all that
   * went there: the next ones would only fail as well.
   */
  private void noteDestinations(Destinations destinations, long now, Others others)
      throws SQLException {
    Map<String, Outcome.Reason> failing = new LinkedHashMap<>();
    Map<String, Integer> refused = new HashMap<>();
    for (Judged each : judged) {
      String destination = each.record.destination();
      if (each.verdict instanceof Verdict.Wait wait) {
        failing.putIfAbsent(destination, wait.outcome().reason());
      } else if (each.verdict instanceof Verdict.Refused is) {
        int count = refused.merge(destination, 1, Integer::sum);
        if (count > 1 || !publishedTo.contains(destination)) {
          failing.putIfAbsent(destination, is.outcome().reason());
          refusing.add(destination);
        }
      }
    }
    failing.forEach(
        (destination, reason) -> {
          if (refusing.contains(destination)) {
            destinations.refused(destination, reason, now);
          } else {
            destinations.failed(destination, reason, now);
          }
        });
    List<String> broken =
        failing.keySet().stream()
            .filter(name -> refusing.contains(name) || destinations.isToBeParked(name, now))
            .toList();
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
      failed.add(
          new Wait(
              record.position(), later.reason(), later.error(), later.attempts(), later.pause()));
      return true;
    }
    if (verdict instanceof Verdict.Refused refused) {
      return isSetAside(record, refused, destinations);
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

  /**
   * The first one that its destination refused is set aside, so that the next ones are tried before
   * it: they show whether it is refused by its own fault.
   */
  private boolean isSetAside(
      OutboxRecord record, Verdict.Refused refused, Destinations destinations) {
    Outcome.Unavailable outcome = refused.outcome();
    String destination = record.destination();
    boolean parked = destinations.isParked(destination);
    if (refusing.contains(destination) && !parked && trouble == null) {
      trouble = outcome;
    }
    boolean first = setAside.add(destination);
    if (first || parked) {
      Wait wait =
          new Wait(
              record.position(),
              outcome.reason().code(),
              outcome.detail(),
              refused.attempts(),
              first ? refused.pause() : null);
      (first ? failed : unavailable).add(wait);
      return true;
    }
    return false;
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
