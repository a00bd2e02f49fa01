package dev.twinbox.relay.store;

import dev.twinbox.relay.publish.OutboxRecord;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/** Keeps what will never be published, whole and with its reason. Thread-safe. */
public final class DeadLetters {
  private final Pipeline pipeline;
  private final String insert;

  /** Works on the table in {@code tables}. */
  public DeadLetters(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    // One for each position: after a crash between this and the cursor, the same row comes again.
    insert =
        tables.sql(
            Pipeline.BEGIN
                + "set local synchronous_commit = on; with gone as (insert into"
                + " {outbox_dead_letter} (lane, position, id, created_at, expires_at, destination,"
                + " key, type, content_type, headers, payload, reason, error, attempts,"
                + " first_failed_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on"
                + " conflict (lane, position) do nothing returning 1) select count(*) from gone;"
                + " commit");
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

  /** Stores the message durably; a second call for the same position changes nothing. */
  public void bury(OutboxRecord record, Cause cause) throws SQLException {
    List<String> headers = new ArrayList<>();
    for (OutboxRecord.Header header : record.headers()) {
      headers.add(header.name());
      headers.add(header.value());
    }
    pipeline.query(
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
        },
        rows -> rows.next());
  }
}
