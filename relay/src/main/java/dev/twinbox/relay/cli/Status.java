package dev.twinbox.relay.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How things stand in one database, as {@code twinbox status --json} prints it. Times are ISO 8601
 * in UTC, by the database's clock.
 *
 * @param schema the schema
 * @param schemaVersion its version
 * @param time when it was looked at
 * @param scheduled messages that are not due yet, counted up to 100,000
 */
record Status(
    String schema,
    int schemaVersion,
    String time,
    List<RelayLine> relays,
    List<BrokerLine> brokers,
    List<LaneLine> lanes,
    List<DeadLetterLine> deadLetters,
    long scheduled) {

  /** A relay whose heartbeat counts. */
  record RelayLine(String name, String startedAt, String aliveUntil) {}

  /**
   * What waits for a broker.
   *
   * @param waiting committed messages that are not settled
   * @param waitingIsEstimated whether there are so many that it was extrapolated
   * @param oldestWaitingSeconds how long the oldest of them has waited; null when none waits
   */
  record BrokerLine(
      String broker,
      long waiting,
      boolean waitingIsEstimated,
      @Nullable Double oldestWaitingSeconds) {}

  /**
   * A lane.
   *
   * @param owner the relay that holds it, or null
   * @param leaseSecondsLeft how long its lease still holds; negative when it ran out
   * @param window counts the windows opened
   * @param open whether one is open
   * @param cursor up to where the open window is settled
   * @param lastSettledAt when a window was last drained to its end, if that is still known
   */
  record LaneLine(
      int lane,
      String broker,
      @Nullable String owner,
      @Nullable Double leaseSecondsLeft,
      long epoch,
      long window,
      boolean open,
      long floor,
      long ceiling,
      long cursor,
      @Nullable String lastSettledAt) {}

  /** Dead letters of one destination and cause. */
  record DeadLetterLine(String destination, String reason, long count) {}
}
