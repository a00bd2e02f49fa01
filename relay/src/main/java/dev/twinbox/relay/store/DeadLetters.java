package dev.twinbox.relay.store;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/** Keeps what will never be published, whole and with its reason. Thread-safe. */
public final class DeadLetters {
  private static final String MESSAGE =
      "id, created_at, expires_at, destination, key, type, content_type, headers, payload";
  private static final String COLUMNS =
      "lane, position, " + MESSAGE + ", reason, error, attempts, first_failed_at, blocks_key";
  private static final String CAUSES =
      "unnest(?::bigint[], ?::text[], ?::text[], ?::integer[], ?::timestamptz[], ?::boolean[]) as"
          + " c (position, reason, error, attempts, first_failed_at, blocks_key)";

  private static final int MOST_ERROR = 10_000;

  private final Pipeline pipeline;
  private final FencedWrite bury;
  private final FencedWrite buryParked;
  private final String buried;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   * @param lease how long a lane stays ours after each write
   */
  public DeadLetters(Pipeline pipeline, Tables tables, Duration lease) {
    this.pipeline = pipeline;
    String outboxRow =
        "o.lane, o.position, o.id, o.created_at, o.expires_at, "
            + OutboxRows.storableDestination("o")
            + " as destination, o.key, o.type, o.content_type, o.headers, o.payload";
    // A key that is too long for the index of blocked keys has no followers that could be sent.
    String cause =
        ", c.reason, c.error, c.attempts, c.first_failed_at, c.blocks_key and o.key is not null and"
            + " octet_length(o.key) <= "
            + OutboxRows.MOST_KEY_BYTES;
    bury =
        new FencedWrite(
            pipeline,
            tables,
            lease.toMillis(),
            "insert into {outbox_dead_letter} ("
                + COLUMNS
                + ") select "
                + outboxRow
                + cause
                + " from "
                + CAUSES
                + " cross join lateral (select * from {outbox} o where o.lane = ? and o.position ="
                + " c.position order by o.lane, o.position limit 1) o where "
                + FencedWrite.FENCE
                + " on conflict (lane, position) do nothing");
    // Its followers are set aside when it blocks their key, and looked at again when it does not.
    buryParked =
        new FencedWrite(
            pipeline,
            tables,
            lease.toMillis(),
            "with gone as (delete from {outbox_parked} o using "
                + CAUSES
                + " where o.lane = ? and o.position = c.position and "
                + FencedWrite.FENCE
                + " returning "
                + outboxRow
                + cause
                + " as blocks_key), kept as (insert into {outbox_dead_letter} ("
                + COLUMNS
                + ") select * from gone on conflict (lane, position) do nothing), behind as (update"
                + " {outbox_parked} f set blocked = true from gone g where g.blocks_key and f.lane"
                + " = g.lane and f.key = g.key and not f.blocked and f.position > g.position), keys"
                + " as (select distinct lane, key from gone where key is not null and not"
                + " blocks_key) "
                + Parked.RELEASE);
    buried =
        tables.sql(
            "select position from {outbox_dead_letter} where lane = ? and position > ? and position"
                + " <= ?");
  }

  /**
   * Why a message was given up.
   *
   * @param reason a short code, such as {@code too-large}
   * @param error what the broker or client said
   * @param attempts how often it was tried
   * @param firstFailedAt when it failed first
   * @param blocksKey whether its key's followers wait until an operator has decided
   */
  public record Cause(
      String reason, String error, int attempts, Instant firstFailedAt, boolean blocksKey) {}

  /**
   * A message to be given up.
   *
   * @param position its position in the lane
   * @param cause why
   */
  public record Lost(long position, Cause cause) {}

  /**
   * Stores rows of the lane's open window durably, in one transaction with the lane's cursor; a
   * second call for the same message changes nothing.
   *
   * @return the lane's new state, or empty when the lane is lost and nothing was stored
   */
  public Optional<LaneState> bury(List<Lost> lost, LaneState known, long cursor, List<Long> ahead)
      throws SQLException {
    return write(bury, lost, known, cursor, ahead);
  }

  /**
   * Moves parked messages here, in one transaction.
   *
   * @return the lane's new state, or empty when the lane is lost and nothing was moved
   */
  public Optional<LaneState> buryParked(List<Lost> lost, LaneState known) throws SQLException {
    return write(buryParked, lost, known, known.cursor(), known.ahead());
  }

  private static Optional<LaneState> write(
      FencedWrite write, List<Lost> lost, LaneState known, long cursor, List<Long> ahead)
      throws SQLException {
    return write.run(
        known,
        cursor,
        ahead,
        (s, first) -> {
          bind(s, first, lost);
          s.setInt(first + 6, known.lane());
          return FencedWrite.bindFence(s, first + 7, known);
        });
  }

  private static void bind(PreparedStatement s, int first, List<Lost> lost) throws SQLException {
    Object[] positions = lost.stream().map(Lost::position).toArray();
    List<Cause> causes = lost.stream().map(Lost::cause).toList();
    set(s, first, "bigint", positions);
    set(s, first + 1, "text", causes.stream().map(Cause::reason).toArray());
    @Nullable Object[] errors = new @Nullable Object[causes.size()];
    for (int i = 0; i < errors.length; i++) {
      errors[i] = storable(s, causes.get(i).error());
    }
    set(s, first + 2, "text", errors);
    set(s, first + 3, "integer", causes.stream().map(Cause::attempts).toArray());
    set(
        s,
        first + 4,
        "timestamptz",
        causes.stream().map(c -> c.firstFailedAt().atOffset(ZoneOffset.UTC).toString()).toArray());
    set(s, first + 5, "boolean", causes.stream().map(Cause::blocksKey).toArray());
  }

  private static void set(PreparedStatement s, int at, String type, @Nullable Object[] values)
      throws SQLException {
    s.setArray(at, s.getConnection().createArrayOf(type, values));
  }

  /**
   * What a broker or client said, as the database can hold it: without NUL, not without end, and,
   * where its encoding is another one than UTF-8, in ASCII.
   */
  static @Nullable String storable(PreparedStatement s, @Nullable String error)
      throws SQLException {
    if (error == null) {
      return null;
    }
    String text =
        (error.length() > MOST_ERROR ? error.substring(0, MOST_ERROR) : error).replace("\0", "");
    PGConnection driver = NamedStatements.driver(s.getConnection());
    String encoding = driver == null ? null : driver.getParameterStatus("server_encoding");
    return "UTF8".equals(encoding) ? text : ascii(text);
  }

  private static String ascii(String text) {
    StringBuilder ascii = new StringBuilder();
    text.chars()
        .forEach(
            c -> {
              if (c < 128) {
                ascii.append((char) c);
              } else {
                ascii.append("\\u").append(HexFormat.of().toHexDigits((char) c));
              }
            });
    return ascii.toString();
  }

  /** The positions of a lane's dead letters, beyond the first and up to the second position. */
  public Set<Long> buried(int lane, long beyond, long upTo) throws SQLException {
    return pipeline.query(
        buried,
        s -> {
          s.setInt(1, lane);
          s.setLong(2, beyond);
          s.setLong(3, upTo);
        },
        rows -> {
          Set<Long> positions = new HashSet<>();
          while (rows.next()) {
            positions.add(rows.getLong(1));
          }
          return positions;
        });
  }
}
