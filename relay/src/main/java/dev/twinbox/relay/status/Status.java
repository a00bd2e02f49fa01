package dev.twinbox.relay.status;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How things stand in one database. Times are by the database's clock; ages and spans are in
 * seconds, rates in messages a second over the last minute. Immutable.
 *
 * @param schema the schema
 * @param schemaVersion its version
 * @param time when it was looked at
 * @param restored why nothing is relayed until a relay has stamped the messages of a restored
 *     database anew; null when the tables belong to this cluster
 * @param everUsed whether anything was ever enqueued
 * @param relays those whose heartbeat counts
 * @param brokers what waits for each broker
 * @param destinations what waits for each destination, in the order of their names
 * @param lanes all lanes
 * @param parked messages that wait beside their lanes
 * @param deadLetters messages that were given up and not discarded
 * @param deadLettersLastHour how many of them are younger than an hour, counted up to 1,000
 * @param blockedKeys keys whose messages wait behind a dead letter, counted up to 10,000
 * @param scheduled messages that are not promoted yet
 * @param troubles destinations that take nothing, as the relays tell
 * @param transactions open transactions that have touched the outbox, the oldest first, at most 5
 * @param oldestSnapshot what keeps vacuum from removing deleted rows for longest, if known
 * @param ring how full the outbox's ring of leaves is
 * @param sizes how large the tables are, with their indexes, the largest first
 * @param upkeep duties of the relays that fail
 * @param missing rows without which nothing works and that are not there, as in {@code outbox_ring}
 */
public record Status(
    String schema,
    int schemaVersion,
    Instant time,
    @Nullable String restored,
    boolean everUsed,
    List<RelayLine> relays,
    List<BrokerLine> brokers,
    List<DestinationLine> destinations,
    List<LaneLine> lanes,
    List<ParkedLine> parked,
    List<DeadLetterLine> deadLetters,
    int deadLettersLastHour,
    int blockedKeys,
    Scheduled scheduled,
    List<Trouble> troubles,
    List<TransactionLine> transactions,
    @Nullable TransactionLine oldestSnapshot,
    Ring ring,
    List<SizeLine> sizes,
    List<UpkeepLine> upkeep,
    List<String> missing) {
  public Status {
    relays = List.copyOf(relays);
    brokers = List.copyOf(brokers);
    destinations = List.copyOf(destinations);
    lanes = List.copyOf(lanes);
    parked = List.copyOf(parked);
    deadLetters = List.copyOf(deadLetters);
    troubles = List.copyOf(troubles);
    transactions = List.copyOf(transactions);
    sizes = List.copyOf(sizes);
    upkeep = List.copyOf(upkeep);
    missing = List.copyOf(missing);
  }

  /**
   * A relay whose heartbeat counts.
   *
   * @param brokers which brokers it serves
   * @param clockAheadSeconds how far its clock is ahead of the database's; negative when behind
   */
  public record RelayLine(
      String name,
      Instant startedAt,
      Instant aliveUntil,
      List<String> brokers,
      double clockAheadSeconds) {
    public RelayLine {
      brokers = List.copyOf(brokers);
    }
  }

  /**
   * What waits for a broker, parked messages not counted.
   *
   * @param waiting committed messages that are not settled
   * @param waitingIsEstimated whether there are so many that it was extrapolated
   * @param oldestWaitingSeconds how long the oldest of them has been due; null when none waits
   */
  public record BrokerLine(
      String broker,
      long waiting,
      boolean waitingIsEstimated,
      @Nullable Double oldestWaitingSeconds) {}

  /**
   * What waits for a destination, and how fast it moves.
   *
   * @param waiting committed messages that are not settled, parked ones not counted
   * @param waitingIsEstimated whether there are so many that it was extrapolated
   * @param oldestWaitingSeconds how long the oldest of them has been due; null when none waits
   * @param inPerSecond how many were enqueued; null when that cannot be told
   * @param outPerSecond how many a broker has confirmed; null when no relay has told yet
   * @param drainSeconds when none will be left at these rates; null when none waits, or when they
   *     do not become fewer
   * @param parked messages that wait beside their lanes
   * @param scheduled messages that are not due
   * @param expired dead letters that had expired
   * @param deadLetters all dead letters
   */
  public record DestinationLine(
      String destination,
      long waiting,
      boolean waitingIsEstimated,
      @Nullable Double oldestWaitingSeconds,
      @Nullable Double inPerSecond,
      @Nullable Double outPerSecond,
      @Nullable Double drainSeconds,
      long parked,
      long scheduled,
      long expired,
      long deadLetters) {}

  /**
   * A lane.
   *
   * @param owner the relay that holds it, or null
   * @param leaseSecondsLeft how long its lease still holds; negative when it ran out
   * @param unownedSeconds since when nobody holds it; null when somebody does
   * @param window counts the windows opened
   * @param open whether one is open
   * @param cursor up to where the open window is settled
   * @param lastSettledAt when a window was last drained to its end, if that is still known
   * @param waiting committed messages that are not settled
   * @param lowestWaiting the lowest position of these, or null
   */
  public record LaneLine(
      int lane,
      String broker,
      @Nullable String owner,
      @Nullable Double leaseSecondsLeft,
      @Nullable Double unownedSeconds,
      long epoch,
      long window,
      boolean open,
      long floor,
      long ceiling,
      long cursor,
      @Nullable Instant lastSettledAt,
      long waiting,
      @Nullable Long lowestWaiting) {}

  /**
   * Messages that wait beside their lanes, of one destination and cause.
   *
   * @param count how many
   * @param countIsEstimated whether there are so many that a sample was extrapolated
   * @param oldestSeconds for how long the oldest seen has been parked
   */
  public record ParkedLine(
      String destination,
      String reason,
      long count,
      boolean countIsEstimated,
      @Nullable Double oldestSeconds) {}

  /** Dead letters of one destination and cause; with many, a sample is extrapolated. */
  public record DeadLetterLine(
      String destination, String reason, long count, boolean countIsEstimated) {}

  /**
   * Messages that are to be delivered later.
   *
   * @param count how many
   * @param countIsEstimated whether there are so many that a sample was extrapolated
   * @param nextDueAt when the next one is due
   * @param overdueSeconds how long that has been due; null when it is not
   */
  public record Scheduled(
      long count,
      boolean countIsEstimated,
      @Nullable Instant nextDueAt,
      @Nullable Double overdueSeconds) {}

  /**
   * A destination that takes nothing.
   *
   * @param reason a short code, as in {@code unreachable}
   * @param seconds for how long
   * @param parked whether its messages are parked, so that their lanes go on
   */
  public record Trouble(String destination, String reason, double seconds, boolean parked) {}

  /**
   * An open transaction, or a replication slot that keeps an old snapshot.
   *
   * @param pid the server process; null of a prepared transaction and of a slot
   * @param prepared the name of a prepared transaction, or null
   * @param seconds how long it has been open; null where the role may not see it, and of a slot
   * @param application what the session calls itself, or the slot's name
   * @param role who has begun it
   * @param state what the session does; {@code prepared}, {@code replication slot}, or {@code
   *     hidden} where the role may not see it
   * @param enqueued whether it has written to the outbox
   */
  public record TransactionLine(
      @Nullable Integer pid,
      @Nullable String prepared,
      @Nullable Double seconds,
      String application,
      String role,
      String state,
      boolean enqueued) {}

  /**
   * How full the ring of leaves is.
   *
   * @param leaves how many there are
   * @param chunk how many positions in a row go to one
   * @param used how many hold rows
   * @param bytes the size of each one that holds rows, with indexes, by its name
   * @param lowestLane the lane whose oldest message is the oldest of all; null when none waits
   */
  public record Ring(
      int leaves, long chunk, int used, List<SizeLine> bytes, @Nullable Integer lowestLane) {
    public Ring {
      bytes = List.copyOf(bytes);
    }
  }

  /**
   * A duty of upkeep that fails.
   *
   * @param duty what it is
   * @param relay which relay has failed last
   * @param seconds for how long it has failed
   * @param error what the last failure said
   */
  public record UpkeepLine(String duty, String relay, double seconds, String error) {}

  /** A table or a group of them, and its size with indexes. */
  public record SizeLine(String table, long bytes) {}
}
