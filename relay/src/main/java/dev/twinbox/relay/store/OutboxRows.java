package dev.twinbox.relay.store;

import dev.twinbox.relay.publish.OutboxRecord;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads messages out of result sets, whichever table they lie in. */
final class OutboxRows {
  /** What {@link #timeLeft} reads, of the table called {@code p}. */
  static final String SECONDS_LEFT =
      "case when isfinite(p.expires_at) then extract(epoch from p.expires_at - clock_timestamp())"
          + " end as seconds_left";

  /** Seconds. What expires later than that is looked at again long before. */
  private static final double A_YEAR = 365 * 86_400.0;

  private OutboxRows() {}

  static OutboxRecord record(ResultSet r) throws SQLException {
    return new OutboxRecord(
        r.getInt("lane"),
        r.getLong("position"),
        r.getObject("id", UUID.class),
        r.getObject("created_at", OffsetDateTime.class).toInstant(),
        instant(r, "expires_at"),
        r.getString("destination"),
        r.getString("key"),
        r.getString("type"),
        r.getString("content_type"),
        headers(r.getArray("headers")),
        r.getBytes("payload"));
  }

  /** How long until the message expires; null when it never does. */
  static @Nullable Duration timeLeft(ResultSet r) throws SQLException {
    return r.getObject("seconds_left") == null
        ? null
        : Duration.ofNanos((long) (Math.min(A_YEAR, r.getDouble("seconds_left")) * 1e9));
  }

  static @Nullable Instant instant(ResultSet r, String column) throws SQLException {
    OffsetDateTime time = r.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }

  static List<OutboxRecord.Header> headers(@Nullable Array array) throws SQLException {
    if (array == null) {
      return List.of();
    }
    List<String> flat = Arrays.asList((String[]) array.getArray());
    List<OutboxRecord.Header> headers = new ArrayList<>(flat.size() / 2);
    for (int i = 0; i + 1 < flat.size(); i += 2) {
      headers.add(new OutboxRecord.Header(flat.get(i), flat.get(i + 1)));
    }
    return headers;
  }
}
