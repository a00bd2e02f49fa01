package dev.twinbox.testkit;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What became of one message's transaction. */
final class TalliedMessage {
  enum Outcome {
    NEVER_ENQUEUED,
    COMMITTED,
    ROLLED_BACK,
    UNKNOWN
  }

  private final UUID id;
  private final int index;
  private Outcome outcome = Outcome.NEVER_ENQUEUED;
  private @Nullable String key;
  private long order;
  private boolean setAside;

  TalliedMessage(UUID id, int index) {
    this.id = id;
    this.index = index;
  }

  void enqueued(Outcome now, @Nullable String key, long order) {
    if (outcome != Outcome.NEVER_ENQUEUED) {
      throw new IllegalArgumentException(
          "Message " + id + " was told to be " + outcome + " and now " + now);
    }
    outcome = now;
    this.key = key;
    this.order = order;
  }

  void setAside() {
    setAside = true;
  }

  /** Counts messages from 0, in the order in which they were first heard of. */
  int index() {
    return index;
  }

  Outcome outcome() {
    return outcome;
  }

  @Nullable String key() {
    return key;
  }

  long order() {
    return order;
  }

  boolean isSetAside() {
    return setAside;
  }

  boolean mustAppear() {
    return outcome == Outcome.COMMITTED && !setAside;
  }

  boolean mustNotAppear() {
    return outcome == Outcome.NEVER_ENQUEUED || outcome == Outcome.ROLLED_BACK;
  }

  @Override
  public String toString() {
    return switch (outcome) {
      case NEVER_ENQUEUED -> id + " (never enqueued)";
      case ROLLED_BACK -> id + " (rolled back)";
      case COMMITTED, UNKNOWN -> key == null ? id.toString() : id + " (" + key + " #" + order + ")";
    };
  }
}
