package dev.twinbox.relay.store;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.postgres.Parameters;
import dev.twinbox.postgres.Sql;
import dev.twinbox.postgres.Tables;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Messages that wait beside their lane, so that it can go on: for a broken destination, for their
 * next attempt, or behind another message of their key. Only the lane's owner puts messages in and
 * publishes them; an operator can change what is here in transactions that never leave a key
 * unguarded. Thread-safe.
 *
 * <p>Walked by (lane, destination, position), each destination by itself, so that a million
 * messages for one that is down are never looked at for the sake of another.
 */
public final class Parked {
  private static final int KEYS_AT_ONCE = 1_000;

  /** How PostgreSQL refuses a row that belongs into no partition. */
  private static final String NO_PARTITION = "23514";

  private final Pipeline pipeline;
  private final FencedWrite park;
  private final Sql any;
  private final Sql held;
  private final Sql due;
  private final Sql confirm;
  private final Sql makeDays;
  private final Sql postpone;
  private final Sql releaseForgotten;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   * @param lease how long a lane stays ours after each write
   */
  public Parked(Pipeline pipeline, Tables tables, Duration lease) {
    this.pipeline = pipeline;
    park = new FencedWrite(pipeline, tables, lease.toMillis(), ParkedSql.PARK);
    any = tables.named(ParkedSql.ANY);
    held = tables.named(ParkedSql.HELD);
    due = tables.named(ParkedSql.DUE);
    confirm = tables.named(ParkedSql.CONFIRM);
    makeDays = tables.named("select {outbox_archive_make_days}(2)");
    postpone = tables.named(ParkedSql.POSTPONE);
    releaseForgotten = tables.named(ParkedSql.RELEASE_FORGOTTEN);
  }

  /**
   * Why a message is parked, and for how long at least.
   *
   * @param position the message's position
   * @param reason a short code, such as {@code missing-destination}
   * @param error what the broker said, or null
   * @param attempts how often the message itself has failed
   * @param delay how long it is left alone; null for as soon as its destination and key allow
   */
  public record Wait(
      long position,
      String reason,
      @Nullable String error,
      int attempts,
      @Nullable Duration delay) {}

  /**
   * What may be tried of a destination.
   *
   * @param rows how many messages at most: 0 for none, 1 for a probe
   * @param beyond only those with a higher position; 0 for all
   */
  public record Cap(int rows, long beyond) {
    /** From the first message on. */
    public static Cap of(int rows) {
      return new Cap(rows, 0);
    }
  }

  /**
   * A parked message that may be published now.
   *
   * @param record the message
   * @param attempts how often it has failed
   * @param parkedAt since when it has been parked
   * @param timeLeft how long until it expires; null for never
   * @param flaw why it cannot be read and so never be published, or null
   */
  public record Due(
      OutboxRecord record,
      int attempts,
      Instant parkedAt,
      @Nullable Duration timeLeft,
      Outcome.@Nullable Rejected flaw) {}

  /** What holds a row of a window back. */
  public enum Hold {
    /** It is parked already. */
    PARKED,
    /** Its key has parked messages, or a dead letter that blocks it. */
    KEY
  }

  /**
   * Copies rows of the lane's open window here, in one transaction with the lane's cursor.
   *
   * @return the lane's new state, or empty when the lane is lost and nothing was parked
   */
  public Optional<LaneState> park(List<Wait> waits, LaneState known, long cursor, List<Long> ahead)
      throws SQLException {
    return park.run(known, cursor, ahead, p -> bind(p, waits));
  }

  /** Whether anything of the lane is parked, or any of its keys blocked. */
  public boolean any(int lane) throws SQLException {
    return pipeline.query(any, p -> p.set("lane", lane), rows -> rows.next() && rows.getBoolean(1));
  }

  /** Which of these rows of one lane must not be published, and why; by position. */
  public Map<Long, Hold> held(int lane, List<OutboxRecord> records) throws SQLException {
    return pipeline.query(
        held,
        p ->
            p.set("lane", lane)
                .set("positions", "bigint", records, OutboxRecord::position)
                .set("keys", "text", records, OutboxRecord::key),
        rows -> {
          Map<Long, Hold> found = new HashMap<>();
          while (rows.next()) {
            found.put(rows.getLong("position"), rows.getBoolean("here") ? Hold.PARKED : Hold.KEY);
          }
          return found;
        });
  }

  /**
   * What may be published now, in order of position.
   *
   * @param caps of a destination that is not well, what may be tried
   * @param rows at most so many rows
   * @param bytes ends with the row that reaches so many bytes
   */
  public List<Due> due(int lane, Map<String, Cap> caps, int rows, long bytes) throws SQLException {
    List<String> destinations = List.copyOf(caps.keySet());
    return pipeline.query(
        due,
        p ->
            p.set("lane", lane)
                .set("destinations", "text", destinations.toArray())
                .set("most", "integer", destinations, d -> cap(caps, d).rows())
                .set("beyond", "bigint", destinations, d -> cap(caps, d).beyond())
                .set("rows", rows)
                .set("bytes", bytes),
        result -> {
          List<Due> found = new ArrayList<>();
          while (result.next()) {
            OutboxRows.Read read = OutboxRows.read(result);
            found.add(
                new Due(
                    read.record(),
                    result.getInt("attempts"),
                    result.getTimestamp("parked_at").toInstant(),
                    OutboxRows.timeLeft(result),
                    read.flaw()));
          }
          return found;
        });
  }

  /**
   * Takes out what was published, and archives it if there is an archive. Also right when the lane
   * is lost: it was published.
   */
  public void confirm(int lane, List<OutboxRecord> published) throws SQLException {
    try {
      takeOut(lane, published);
    } catch (SQLException e) {
      if (!NO_PARTITION.equals(e.getSQLState())) {
        throw e;
      }
      // The archive's day has not been made in time: what was published would go out once more.
      pipeline.query(makeDays, p -> {}, rows -> rows.next());
      takeOut(lane, published);
    }
  }

  private void takeOut(int lane, List<OutboxRecord> published) throws SQLException {
    pipeline.query(
        confirm,
        p ->
            p.set("positions", "bigint", published, OutboxRecord::position)
                .set("ids", "uuid", published, OutboxRecord::id)
                .set("lane", lane),
        rows -> rows.next());
  }

  /**
   * Releases followers of messages that are gone, of so many keys from the given one on.
   *
   * @return the last key that was looked at, to go on from; empty when all were
   */
  public String releaseForgotten(int lane, String fromKey) throws SQLException {
    return pipeline.query(
        releaseForgotten,
        p -> p.set("lane", lane).set("from_key", fromKey).set("most", KEYS_AT_ONCE),
        rows -> {
          rows.next();
          return rows.getString(1);
        });
  }

  /** Leaves messages alone for a while, with their new attempts, if the lane is still ours. */
  public void postpone(List<Wait> waits, LaneState known) throws SQLException {
    pipeline.query(
        postpone,
        p -> bind(p.set("lane", known.lane()).set("claim_id", known.claimId()), waits),
        rows -> rows.next());
  }

  private static Cap cap(Map<String, Cap> caps, String destination) {
    return Objects.requireNonNull(caps.get(destination));
  }

  private static void bind(Parameters p, List<Wait> waits) throws SQLException {
    @Nullable Object[] errors = new @Nullable Object[waits.size()];
    for (int i = 0; i < errors.length; i++) {
      errors[i] = DeadLetters.storable(p.connection(), waits.get(i).error());
    }
    p.set("positions", "bigint", waits, Wait::position)
        .set("reasons", "text", waits, Wait::reason)
        .set("errors", "text", errors)
        .set("attempts", "integer", waits, Wait::attempts)
        .set("delays", "bigint", waits, Parked::millis);
  }

  private static @Nullable Long millis(Wait wait) {
    Duration delay = wait.delay();
    return delay == null ? null : delay.toMillis();
  }
}
