package dev.twinbox.relay.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads messages out of result sets, whichever table they lie in. Whoever may insert can have
 * written anything into their columns, so reading never fails: a message that cannot be read says
 * why, and becomes a dead letter.
 */
final class OutboxRows {
  /** What {@link #timeLeft} reads, of the table called {@code p}. */
  static final String SECONDS_LEFT =
      "case when isfinite(p.expires_at) then extract(epoch from p.expires_at - clock_timestamp())"
          + " when p.expires_at < clock_timestamp() then -1 end as seconds_left";

  /**
   * Larger messages are not loaded: one alone would fill the memory that all lanes share. Never
   * less than RabbitMQ takes by default, which is more than Kafka does.
   */
  static final long MOST_BYTES = Math.max(16L << 20, Runtime.getRuntime().maxMemory() / 16);

  /** Longer keys and destinations do not fit into the indexes of what is parked or dead. */
  static final int MOST_KEY_BYTES = 2_048;

  static final int MOST_DESTINATION_BYTES = 1_024;

  /** A destination that is cut is too long for any grammar. */
  private static final int CUT_DESTINATION = 600;

  /** Seconds. What expires later than that is looked at again long before. */
  private static final double A_YEAR = 365 * 86_400.0;

  /** The years 0 to 9999, which RFC 3339 can write. */
  private static final long FIRST_SECOND = Instant.parse("0000-01-01T00:00:00Z").getEpochSecond();

  private static final long LAST_SECOND = Instant.parse("9999-12-31T23:59:59Z").getEpochSecond();

  /** The class of errors that a value causes. */
  private static final String DATA_EXCEPTION = "22";

  private OutboxRows() {}

  /**
   * About how many bytes a row takes. The headers' size is that of the whole array, where it is
   * compressed as well: joining an empty one unpacks it. Added up as bigint, told as integer, so
   * that nothing overflows and sums of it stay bigint.
   */
  static String size(String row) {
    return ("least(2000000000, 256::bigint + coalesce(octet_length(%1$s.payload), 0) +"
            + " coalesce(pg_column_size(%1$s.headers || '{}'::text[]), 0) + 64 *"
            + " coalesce(cardinality(%1$s.headers), 0) + octet_length(%1$s.destination) +"
            + " coalesce(octet_length(%1$s.key), 0) + octet_length(%1$s.type) +"
            + " coalesce(octet_length(%1$s.content_type), 0))::integer")
        .formatted(row);
  }

  /**
   * The columns of a message, those of one that is too large left out.
   *
   * @param row the alias of what has them, with its {@link #size} as {@code size}
   */
  static String columns(String row) {
    return ("%1$s.lane, %1$s.position, %1$s.id, %1$s.created_at, %1$s.expires_at, case when"
            + " %1$s.size > %2$s then left(%1$s.destination, %3$s) else %1$s.destination end as"
            + " destination, case when %1$s.size > %2$s then left(%1$s.key, %4$s) else %1$s.key"
            + " end as key, case when %1$s.size > %2$s then left(%1$s.type, 255) else %1$s.type"
            + " end as type, case when %1$s.size <= %2$s then %1$s.content_type end as"
            + " content_type, case when %1$s.size <= %2$s then %1$s.headers end as headers,"
            + " case when %1$s.size <= %2$s then %1$s.payload end as payload")
        .formatted(row, MOST_BYTES, CUT_DESTINATION, MOST_KEY_BYTES + 1);
  }

  /** A destination as dead letters keep it: their index takes none that is longer. */
  static String storableDestination(String row) {
    return "case when octet_length(%1$s.destination) > %2$s then left(%1$s.destination, %3$s) else %1$s.destination end"
        .formatted(row, MOST_DESTINATION_BYTES, CUT_DESTINATION);
  }

  /**
   * A message as far as it can be read.
   *
   * @param record the message; without what cannot be read
   * @param flaw why it can never be published, or null
   */
  record Read(OutboxRecord record, Outcome.@Nullable Rejected flaw) {}

  /** Reads a message of which {@link #size} and {@link #columns} were selected. */
  static Read read(ResultSet r) throws SQLException {
    return read(r, r.getLong("size"));
  }

  /** Reads a message to be shown, as far as that is possible. */
  static OutboxRecord shown(ResultSet r) throws SQLException {
    return read(r, 0).record();
  }

  private static Read read(ResultSet r, long size) throws SQLException {
    Flaws flaws = new Flaws();
    if (size > MOST_BYTES) {
      flaws.add(
          Reason.TOO_LARGE,
          "It takes about "
              + size
              + " bytes; this relay loads no message of more than "
              + MOST_BYTES
              + ", which follows from its memory. Give it more, or store a reference.");
    }
    OutboxRecord record =
        new OutboxRecord(
            r.getInt("lane"),
            r.getLong("position"),
            r.getObject("id", UUID.class),
            Objects.requireNonNullElse(time(r, "created_at", flaws), Instant.EPOCH),
            time(r, "expires_at", flaws),
            destination(r, flaws),
            key(r, flaws),
            r.getString("type"),
            r.getString("content_type"),
            headers(r, flaws),
            r.getBytes("payload"));
    return new Read(record, flaws.first);
  }

  /** The first thing that is wrong with a row. */
  private static final class Flaws {
    private Outcome.@Nullable Rejected first;

    void add(Reason reason, String detail) {
      if (first == null) {
        first = new Outcome.Rejected(reason, detail);
      }
    }

    void malformed(String detail) {
      add(Reason.MALFORMED, detail);
    }
  }

  private static String destination(ResultSet r, Flaws flaws) throws SQLException {
    String destination = r.getString("destination");
    int bytes = bytes(destination);
    if (bytes <= MOST_DESTINATION_BYTES) {
      return destination;
    }
    flaws.malformed(
        "destination takes " + bytes + " bytes; the limit is " + MOST_DESTINATION_BYTES + ".");
    return destination.substring(0, Math.min(destination.length(), CUT_DESTINATION));
  }

  private static @Nullable String key(ResultSet r, Flaws flaws) throws SQLException {
    String key = r.getString("key");
    int bytes = key == null ? 0 : bytes(key);
    if (bytes <= MOST_KEY_BYTES) {
      return key;
    }
    flaws.malformed("key takes " + bytes + " bytes; the limit is " + MOST_KEY_BYTES + ".");
    return null;
  }

  /** Most are so short that they need not be counted. */
  private static int bytes(String text) {
    return text.length() <= MOST_DESTINATION_BYTES / 3
        ? text.length()
        : text.getBytes(UTF_8).length;
  }

  /** What is wrong with the connection is not the message's fault. */
  private static void refuseOthers(SQLException e) throws SQLException {
    String state = e.getSQLState();
    if (state == null || !state.startsWith(DATA_EXCEPTION)) {
      throw e;
    }
  }

  /** The time, or null where there is none: also for one without end. */
  private static @Nullable Instant time(ResultSet r, String column, Flaws flaws)
      throws SQLException {
    OffsetDateTime time;
    try {
      time = r.getObject(column, OffsetDateTime.class);
    } catch (SQLException e) {
      refuseOthers(e);
      flaws.malformed(column + " cannot be read: " + e.getMessage());
      return null;
    } catch (DateTimeException | NumberFormatException e) {
      flaws.malformed(column + " cannot be read: " + e.getMessage());
      return null;
    }
    boolean expiry = column.equals("expires_at");
    if (time == null || (expiry && time.equals(OffsetDateTime.MAX))) {
      return null;
    }
    Instant instant = time.toInstant();
    boolean over = expiry && instant.getEpochSecond() < 0;
    if (!over
        && (instant.getEpochSecond() < FIRST_SECOND || instant.getEpochSecond() > LAST_SECOND)) {
      flaws.malformed(column + " is " + time + "; the wire format has the years 0 to 9999 only.");
    }
    return instant;
  }

  private static List<OutboxRecord.Header> headers(ResultSet r, Flaws flaws) throws SQLException {
    Array array = r.getArray("headers");
    if (array == null) {
      return List.of();
    }
    Object values;
    try {
      values = array.getArray();
    } catch (SQLException e) {
      refuseOthers(e);
      return unreadable(array, "cannot be read (" + e.getMessage() + ")", flaws);
    }
    if (!(values instanceof String[] flat)) {
      return unreadable(array, "is an array of arrays", flaws);
    }
    if (flat.length % 2 != 0) {
      return unreadable(array, "has " + flat.length + " elements", flaws);
    }
    List<OutboxRecord.Header> headers = new ArrayList<>(flat.length / 2);
    for (int i = 0; i < flat.length; i += 2) {
      if (flat[i] == null || flat[i + 1] == null) {
        return unreadable(array, "has null for element " + (flat[i] == null ? i : i + 1), flaws);
      }
      headers.add(new OutboxRecord.Header(flat[i], flat[i + 1]));
    }
    return headers;
  }

  /** As one header, for people. */
  private static List<OutboxRecord.Header> unreadable(Array array, String why, Flaws flaws) {
    flaws.malformed("headers " + why + "; it takes names and values by turns, in one array.");
    return List.of(new OutboxRecord.Header("headers", array.toString()));
  }

  /** How long until the message expires; null when it never does. */
  static @Nullable Duration timeLeft(ResultSet r) throws SQLException {
    if (r.getObject("seconds_left") == null) {
      return null;
    }
    double seconds = Math.max(-A_YEAR, Math.min(A_YEAR, r.getDouble("seconds_left")));
    return Duration.ofNanos((long) (seconds * 1e9));
  }

  static @Nullable Instant instant(ResultSet r, String column) throws SQLException {
    OffsetDateTime time = r.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
