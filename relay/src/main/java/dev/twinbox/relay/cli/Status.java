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
 * @param restored why nothing is relayed until a relay has stamped the messages of a restored
 *     database anew; null when the tables belong to this cluster
 * @param blockedKeys keys whose messages wait behind a dead letter, counted up to 10,000
 * @param scheduled messages that are not due yet, counted up to 100,000
 */
record Status(
    String schema,
    int schemaVersion,
    String time,
    @Nullable String restored,
    List<RelayLine> relays,
    List<BrokerLine> brokers,
    List<LaneLine> lanes,
    List<ParkedLine> parked,
    List<DeadLetterLine> deadLetters,
    int blockedKeys,
    long scheduled) {

  /**
   * A relay whose heartbeat counts.
   *
   * @param clockAheadSeconds how far its clock is ahead of the database's; negative when behind
   */
  record RelayLine(String name, String startedAt, String aliveUntil, double clockAheadSeconds) {}

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

  /**
   * Messages that wait beside their lanes, of one destination and cause.
   *
   * @param count how many, of the first 100,000 parked ones
   * @param oldestSeconds for how long the oldest has been parked
   */
  record ParkedLine(
      String destination, String reason, long count, @Nullable Double oldestSeconds) {}

  /** Dead letters of one destination and cause. */
  record DeadLetterLine(String destination, String reason, long count) {}
}
