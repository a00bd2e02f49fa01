package dev.twinbox.inbox;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A frozen selection of one consumer's quarantined messages that its running instances handle once
 * more, and how far they are. Times are the database's.
 *
 * @param number names it
 * @param perSecond the most messages a second
 * @param selected how many messages it began with
 * @param processed whose effects are committed; they have left quarantine
 * @param duplicates that turned out to have been processed before; they have left quarantine
 * @param failed that are back in quarantine with a new error
 * @param finishedAt when its last message was settled, or null while it runs
 */
public record Redrive(
    long number,
    String consumer,
    String requestedBy,
    Instant requestedAt,
    double perSecond,
    long selected,
    long processed,
    long duplicates,
    long failed,
    @Nullable Instant finishedAt) {

  /** Whether nothing of it waits any more. */
  public boolean isFinished() {
    return finishedAt != null;
  }

  /** How many wait. */
  public long waiting() {
    return isFinished() ? 0 : Math.max(0, selected - processed - duplicates - failed);
  }
}
