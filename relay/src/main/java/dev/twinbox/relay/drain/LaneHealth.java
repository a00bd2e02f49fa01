package dev.twinbox.relay.drain;

import dev.twinbox.broker.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What stands in a lane's way, for whoever asks. A broker that dies may say nothing for a long
 * time, so the age of what it has not confirmed counts, whatever the lane's thread does meanwhile.
 * Written by the lane's thread, read by any.
 */
final class LaneHealth {
  /** Nobody has to wait longer for a confirm; five seconds after a broker's death all know. */
  private static final Duration OVERDUE = Duration.ofSeconds(3);

  private static final int MOST_TOLD = 3;

  /**
   * What waits for a confirm.
   *
   * @param since when the oldest was handed over, in terms of {@link System#nanoTime}
   * @param count how many there are
   * @param waitsFor what the publisher waits for, as far as it knows
   */
  private record Waiting(long since, int count, String waitsFor) {}

  private final String broker;
  private final Destinations destinations;
  private volatile @Nullable String trouble;
  private volatile @Nullable Waiting waiting;

  LaneHealth(String broker, Destinations destinations) {
    this.broker = broker;
    this.destinations = destinations;
  }

  /** The broker takes nothing of the lane's. */
  void troubled(Outcome outcome) {
    if (outcome instanceof Outcome.Unavailable unavailable) {
      trouble =
          "%s: %s: %s".formatted(broker, unavailable.reason().code(), line(unavailable.detail()));
    } else if (outcome instanceof Outcome.Unknown unknown) {
      trouble =
          "%s: what became of its messages is unknown: %s"
              .formatted(broker, line(unknown.detail()));
    }
  }

  /** The lane's own work fails; said until it gets on. */
  void failed(int lane, Throwable why) {
    trouble = "Lane %s fails and is claimed anew: %s".formatted(lane, why.getClass().getName());
  }

  /** It gets on. */
  void well() {
    trouble = null;
  }

  boolean isTroubled() {
    return trouble != null;
  }

  /** Nothing waits for a confirm. */
  void nothingWaits() {
    waiting = null;
  }

  /** Messages wait for their confirms. */
  void waits(long since, int count, String waitsFor) {
    waiting = new Waiting(since, count, waitsFor);
  }

  /** The lane is not ours any more. */
  void forget() {
    trouble = null;
    waiting = null;
  }

  /** Whether confirms are so late that the broker has to be taken for gone. */
  boolean isOverdue() {
    Waiting now = waiting;
    return now != null && age(now.since).compareTo(OVERDUE) > 0;
  }

  /** Each a sentence; the same for each lane that has the same problem. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    String known = trouble;
    Waiting late = waiting;
    if (known != null) {
      problems.add(known);
    } else if (late != null && age(late.since).compareTo(OVERDUE) > 0) {
      problems.add(
          "%s: confirms nothing; messages have been waiting for it for %s s%s"
              .formatted(
                  broker,
                  age(late.since).toSeconds(),
                  late.waitsFor.isEmpty() ? "" : "; " + late.waitsFor));
    }
    List<Trouble> broken = destinations.troubles();
    broken.stream()
        .filter(each -> each.parked() || age(each.since()).compareTo(OVERDUE) > 0)
        .limit(MOST_TOLD)
        .forEach(each -> problems.add("%s: %s".formatted(each.destination(), each.reason())));
    if (broken.size() > MOST_TOLD) {
      problems.add(
          "%s: %s more destinations take nothing".formatted(broker, broken.size() - MOST_TOLD));
    }
    return problems;
  }

  private static Duration age(long since) {
    return Duration.ofNanos(System.nanoTime() - since);
  }

  private static String line(String detail) {
    return detail.replaceAll("\\s+", " ").strip();
  }
}
