package dev.twinbox.relay.store;

import dev.twinbox.postgres.Parameters;
import dev.twinbox.postgres.Sql;
import dev.twinbox.postgres.SqlParts;
import dev.twinbox.postgres.Tables;
import java.sql.Connection;
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
  private static final SqlParts PARTS =
      SqlParts.none()
          .with("fence", FencedWrite.FENCE)
          .with(
              "columns",
              """
              lane, position, id, created_at, expires_at, destination, key, type, content_type,
                headers, payload, reason, error, attempts, first_failed_at, blocks_key""")
          .with(
              "causes",
              """
              unnest(:positions::bigint[], :reasons::text[], :errors::text[], :attempts::integer[],
                :first_failed_at::timestamptz[], :blocks_key::boolean[])
                as c (position, reason, error, attempts, first_failed_at, blocks_key)""")
          .with("destination", OutboxRows.storableDestination("o"))
          .with("most_key_bytes", Integer.toString(OutboxRows.MOST_KEY_BYTES))
          // A key that is too long for the index of blocked keys has no followers that could be
          // sent.
          .with(
              "dead",
              """
              o.lane, o.position, o.id, o.created_at, o.expires_at, ${destination} as destination,
                o.key, o.type, o.content_type, o.headers, o.payload, c.reason, c.error, c.attempts,
                c.first_failed_at, c.blocks_key and o.key is not null
                  and octet_length(o.key) <= ${most_key_bytes}""")
          .with("release", ParkedSql.RELEASE);

  private static final String BURY =
      PARTS.in(
          """
          insert into {outbox_dead_letter} (${columns})
          select ${dead} from ${causes}
            cross join lateral (select * from {outbox} o
              where o.lane = :lane and o.position = c.position
              order by o.lane, o.position limit 1) o
          where ${fence}
          on conflict (lane, position) do nothing""");

  /** Its followers are set aside when it blocks their key, and looked at again when it does not. */
  private static final String BURY_PARKED =
      PARTS.in(
          """
          with gone as (
            delete from {outbox_parked} o using ${causes}
            where o.lane = :lane and o.position = c.position and ${fence}
            returning ${dead} as blocks_key),
          kept as (
            insert into {outbox_dead_letter} (${columns}) select * from gone
            on conflict (lane, position) do nothing),
          behind as (
            update {outbox_parked} f set blocked = true from gone g
            where g.blocks_key and f.lane = g.lane and f.key = g.key and not f.blocked
              and f.position > g.position),
          keys as (select distinct lane, key from gone where key is not null and not blocks_key)
          ${release}""");

  private static final String BURIED =
      """
      select position from {outbox_dead_letter}
      where lane = :lane and position > :beyond and position <= :up_to""";

  private static final int MOST_ERROR = 10_000;

  private final Pipeline pipeline;
  private final FencedWrite bury;
  private final FencedWrite buryParked;
  private final Sql buried;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   * @param lease how long a lane stays ours after each write
   */
  public DeadLetters(Pipeline pipeline, Tables tables, Duration lease) {
    this.pipeline = pipeline;
    bury = new FencedWrite(pipeline, tables, lease.toMillis(), BURY);
    buryParked = new FencedWrite(pipeline, tables, lease.toMillis(), BURY_PARKED);
    buried = tables.named(BURIED);
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
    return write.run(known, cursor, ahead, p -> bind(p, lost));
  }

  private static void bind(Parameters p, List<Lost> lost) throws SQLException {
    List<Cause> causes = lost.stream().map(Lost::cause).toList();
    @Nullable Object[] errors = new @Nullable Object[causes.size()];
    for (int i = 0; i < errors.length; i++) {
      errors[i] = storable(p.connection(), causes.get(i).error());
    }
    p.set("positions", "bigint", lost, Lost::position)
        .set("reasons", "text", causes, Cause::reason)
        .set("errors", "text", errors)
        .set("attempts", "integer", causes, Cause::attempts)
        .set(
            "first_failed_at",
            "timestamptz",
            causes,
            cause -> cause.firstFailedAt().atOffset(ZoneOffset.UTC).toString())
        .set("blocks_key", "boolean", causes, Cause::blocksKey);
  }

  /**
   * What a broker or client said, as the database can hold it: without NUL, not without end, and,
   * where its encoding is another one than UTF-8, in ASCII.
   */
  static @Nullable String storable(Connection connection, @Nullable String error)
      throws SQLException {
    if (error == null) {
      return null;
    }
    String text =
        (error.length() > MOST_ERROR ? error.substring(0, MOST_ERROR) : error).replace("\0", "");
    PGConnection driver = NamedStatements.driver(connection);
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
        p -> p.set("lane", lane).set("beyond", beyond).set("up_to", upTo),
        rows -> {
          Set<Long> positions = new HashSet<>();
          while (rows.next()) {
            positions.add(rows.getLong(1));
          }
          return positions;
        });
  }
}
