package dev.twinbox.relay.store;

import dev.twinbox.relay.publish.OutboxRecord;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Keeps what will never be published, whole and with its reason. Thread-safe. */
public final class DeadLetters {
  private final Pipeline pipeline;
  private final String insert;
  private final String buried;

  /** Works on the table in {@code tables}. */
  public DeadLetters(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    // One for each position: after a crash between this and the cursor, the same row comes again.
    insert =
        tables.sql(
            Pipeline.BEGIN
                + "set local client_min_messages = warning; set local synchronous_commit = on; with gone as (insert into"
                + " {outbox_dead_letter} (lane, position, id, created_at, expires_at, destination,"
                + " key, type, content_type, headers, payload, reason, error, attempts,"
                + " first_failed_at) select ?, ?, ?, ?, ?::timestamptz, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? where"
                + " exists (select 1 from {outbox_lane_state} s where s.lane = ? and s.claim_id = ?)"
                + " on conflict (lane, position) do nothing returning 1) select count(*) from gone;"
                + " select exists (select 1 from {outbox_dead_letter} where lane = ? and position = ?"
                + " and id = ?); commit");
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
   */
  public record Cause(String reason, String error, int attempts, Instant firstFailedAt) {}

  /**
   * Stores the message durably, if the lane is still ours; a second call for the same message
   * changes nothing.
   *
   * @param claim the lane as the caller holds it
   * @return whether the message is among the dead letters now; false when the lane is lost
   */
  public boolean bury(OutboxRecord record, Cause cause, LaneState claim) throws SQLException {
    List<String> headers = new ArrayList<>();
    for (OutboxRecord.Header header : record.headers()) {
      headers.add(header.name());
      headers.add(header.value());
    }
    return pipeline.query(
        insert,
        s -> {
          s.setInt(1, record.lane());
          s.setLong(2, record.position());
          s.setObject(3, record.id());
          s.setObject(4, record.createdAt().atOffset(ZoneOffset.UTC));
          Instant expiresAt = record.expiresAt();
          s.setObject(5, expiresAt == null ? null : expiresAt.atOffset(ZoneOffset.UTC));
          s.setString(6, record.destination());
          s.setString(7, record.key());
          s.setString(8, record.type());
          s.setString(9, record.contentType());
          s.setArray(10, s.getConnection().createArrayOf("text", headers.toArray()));
          s.setBytes(11, record.payload());
          s.setString(12, cause.reason());
          s.setString(13, cause.error().replace("\0", ""));
          s.setInt(14, cause.attempts());
          s.setObject(15, cause.firstFailedAt().atOffset(ZoneOffset.UTC));
          s.setInt(16, record.lane());
          s.setObject(17, claim.claimId());
          s.setInt(18, record.lane());
          s.setLong(19, record.position());
          s.setObject(20, record.id());
        },
        rows -> rows.next() && rows.getBoolean(1));
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
