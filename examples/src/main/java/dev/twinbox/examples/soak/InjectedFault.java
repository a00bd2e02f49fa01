package dev.twinbox.examples.soak;

import dev.twinbox.examples.soak.Schedule.Step;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** One fault that was injected, or that found nothing to hit. Thread-safe. */
final class InjectedFault {
  private final Step step;
  private final String place;
  private final Instant at;
  private final boolean hit;
  private volatile @Nullable Instant healedAt;

  InjectedFault(Step step, String place, Instant at, boolean hit) {
    this.step = step;
    this.place = place;
    this.at = at;
    this.hit = hit;
  }

  FaultKind kind() {
    return step.kind();
  }

  Instant at() {
    return at;
  }

  /** Whether there was unconfirmed work to hit. */
  boolean hit() {
    return hit;
  }

  void healed(Instant now) {
    healedAt = now;
  }

  /** When its cause was gone, or now. */
  Instant healedAt() {
    Instant known = healedAt;
    return known == null ? Instant.now() : known;
  }

  /** In words; for a fault that has just begun. */
  @Override
  public String toString() {
    return "#%s %s %s".formatted(step.number(), step.kind(), hit ? "at " + place : "found nothing");
  }

  /** The same with times. */
  String inFull() {
    return at + " " + this + (hit ? ", healed at " + healedAt() : "");
  }
}
