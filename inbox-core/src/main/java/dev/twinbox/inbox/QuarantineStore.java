package dev.twinbox.inbox;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The statements about failures: attempts, and what was given up. Holds no state. */
final class QuarantineStore {
  static final String NOT_FINISHED =
      "The attempt did not end: its process died or lost its connection.";

  // Marks an attempt in a batch: if the process died, nobody knows which of the batch it was.
  private static final String TOGETHER = "The attempt did not end; it was one of a batch.";

  private static final int LONGEST_ORIGIN_BYTES = 1_000;

  private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");
  private static final Instant LATEST = Instant.parse("9999-12-31T00:00:00Z");

  private final DatabaseText text = new DatabaseText();
  private final String anyFailure;
  private final String start;
  private final String startMany;
  private final String fail;
  private final String takeBack;
  private final String clear;
  private final String keep;
  private final String leave;

  QuarantineStore(String schema) {
    anyFailure =
        """
        select exists (select from %s.inbox_failure
          where consumer_id = ? and message_id = any (cast(? as uuid[])))"""
            .formatted(schema);
    // An attempt that is about to begin counts, in case that it kills the process; one of a batch
    // that died is not held against all of the batch. The last error stays when no attempt follows.
    // With the beginning and the commit of its transaction, so that it takes one round trip.
    start =
        OpenTransaction.BEGUN
            + ";\n"
            + """
        insert into %1$s.inbox_failure as f (consumer_id, message_id, attempts, error)
        select ?, ?, 1, ?
        where not exists (select from %1$s.inbox where message_id = ? and consumer_id = ?)
        on conflict (consumer_id, message_id) do update set
          attempts = case when f.error = ? then 1 else f.attempts + 1 end,
          error = case when f.attempts < ? then excluded.error else f.error end,
          last_failed_at = clock_timestamp()
        returning attempts, error;
        """
                .formatted(schema)
            + OpenTransaction.COMMIT;
    startMany =
        """
        insert into %1$s.inbox_failure (consumer_id, message_id, attempts, error)
        select ?, a.id, 1, ? from unnest(cast(? as uuid[])) as a(id)
        where not exists (select from %1$s.inbox i where i.message_id = a.id and i.consumer_id = ?)
        order by a.id
        on conflict do nothing"""
            .formatted(schema);
    fail =
        """
        insert into %1$s.inbox_failure as f (consumer_id, message_id, attempts, error)
        values (?, ?, 1, ?)
        on conflict (consumer_id, message_id) do update set
          attempts = f.attempts + ?, error = excluded.error, last_failed_at = clock_timestamp()
        returning attempts"""
            .formatted(schema);
    takeBack =
        """
        update %s.inbox_failure set attempts = greatest(attempts - 1, 0)
        where consumer_id = ? and message_id = ?"""
            .formatted(schema);
    clear =
        """
        delete from %s.inbox_failure
        where consumer_id = ? and message_id = any (cast(? as uuid[]))"""
            .formatted(schema);
    // The same place and contents twice is one message: its acknowledgement was lost, or it was let
    // through and has failed.
    keep =
        """
        insert into %s.inbox_dead_letter
          (consumer_id, message_id, id, source, origin, fingerprint, destination, key, type,
           content_type, message_time, expires_at, headers, payload, reason, error, attempts,
           id_recorded)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        on conflict (consumer_id, origin, fingerprint) do update set
          message_id = excluded.message_id, reason = excluded.reason, error = excluded.error,
          attempts = excluded.attempts, id_recorded = true, dead_at = clock_timestamp(),
          discarded_at = null, discarded_by = null
        where excluded.id_recorded"""
            .formatted(schema);
    leave =
        """
        delete from %s.inbox_dead_letter
        where consumer_id = ? and message_id = ? and (id_recorded or reason = ?)"""
            .formatted(schema);
  }

  /** How many attempts there were, this one included, and what the one before said. */
  record Attempt(int number, @Nullable String error) {}

  boolean anyFailure(Connection connection, int consumer, Collection<UUID> ids)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(anyFailure)) {
      statement.setInt(1, consumer);
      statement.setString(2, InboxStore.array(ids));
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  /**
   * Counts an attempt before it begins, and commits that; empty when the message was processed
   * before.
   */
  Optional<Attempt> start(Connection connection, int consumer, UUID id, int limit)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(start)) {
      statement.setInt(1, consumer);
      statement.setObject(2, id);
      statement.setString(3, NOT_FINISHED);
      statement.setObject(4, id);
      statement.setInt(5, consumer);
      statement.setString(6, TOGETHER);
      statement.setInt(7, limit);
      statement.execute();
      statement.getMoreResults(); // the second of the statements is the insert
      try (ResultSet row = statement.getResultSet()) {
        return row.next()
            ? Optional.of(new Attempt(row.getInt(1), row.getString(2)))
            : Optional.empty();
      }
    }
  }

  /** Counts the first attempt of messages that will be handled together. */
  void startMany(Connection connection, int consumer, Collection<UUID> ids) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(startMany)) {
      statement.setInt(1, consumer);
      statement.setString(2, TOGETHER);
      statement.setString(3, InboxStore.array(ids));
      statement.setInt(4, consumer);
      statement.executeUpdate();
    }
  }

  /** Records a failure; returns the attempts so far. */
  int fail(Connection connection, int consumer, UUID id, String error, boolean countedAlready)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(fail)) {
      statement.setInt(1, consumer);
      statement.setObject(2, id);
      statement.setString(3, text.readable(connection, error));
      statement.setInt(4, countedAlready ? 0 : 1);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }

  /** Takes back an attempt that {@link #start} has counted; returns how many rows that changed. */
  int takeBack(Connection connection, int consumer, UUID id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(takeBack)) {
      statement.setInt(1, consumer);
      statement.setObject(2, id);
      return statement.executeUpdate();
    }
  }

  void clear(Connection connection, int consumer, Collection<UUID> ids) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(clear)) {
      statement.setInt(1, consumer);
      statement.setString(2, InboxStore.array(ids));
      statement.executeUpdate();
    }
  }

  /** An operator let it through: it leaves quarantine. */
  void leave(Connection connection, int consumer, UUID id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(leave)) {
      statement.setInt(1, consumer);
      statement.setObject(2, id);
      statement.setString(3, QuarantineReason.OLDER_THAN_DEDUP_HORIZON.code());
      statement.executeUpdate();
    }
  }

  /**
   * Keeps the whole message.
   *
   * @param idRecorded whether its id stands in the inbox though it was not processed
   */
  void keep(
      Connection connection,
      int consumer,
      CheckedDelivery checked,
      QuarantineReason reason,
      @Nullable String error,
      int attempts,
      boolean idRecorded)
      throws SQLException {
    Delivery delivery = checked.delivery();
    Stored stored = stored(connection, delivery);
    try (PreparedStatement statement = connection.prepareStatement(keep)) {
      statement.setInt(1, consumer);
      statement.setObject(2, checked.hasId() ? checked.id() : null, Types.OTHER);
      statement.setString(3, stored.of(delivery.id()));
      statement.setString(4, stored.of(delivery.source()));
      statement.setString(5, indexable(delivery.origin(), stored));
      statement.setObject(6, fingerprint(delivery));
      statement.setString(7, stored.of(delivery.destination()));
      statement.setString(8, stored.of(delivery.key()));
      statement.setString(9, stored.of(delivery.type()));
      statement.setString(10, stored.of(delivery.contentType()));
      setTime(statement, 11, delivery.time());
      setTime(statement, 12, delivery.expiresAt());
      statement.setArray(13, connection.createArrayOf("text", stored.headers(delivery)));
      statement.setBytes(14, delivery.payload());
      statement.setString(15, reason.code());
      statement.setString(16, text.readable(connection, error));
      statement.setInt(17, attempts);
      statement.setBoolean(18, idRecorded);
      statement.executeUpdate();
    }
  }

  /**
   * How a message's texts are stored: as they are, or all of them escaped, and a header says so.
   */
  private record Stored(DatabaseText text, Connection connection, boolean escaped) {
    @Nullable String of(@Nullable String value) throws SQLException {
      return escaped ? text.restorable(connection, value) : value;
    }

    @Nullable String[] headers(Delivery delivery) throws SQLException {
      List<@Nullable String> pairs = new ArrayList<>();
      if (escaped) {
        pairs.addAll(List.of(CloudEvent.ESCAPED, "true"));
      }
      for (Map.Entry<String, String> header : delivery.headers().entrySet()) {
        pairs.add(of(header.getKey()));
        pairs.add(of(header.getValue()));
      }
      return pairs.toArray(new String[0]);
    }
  }

  private Stored stored(Connection connection, Delivery delivery) throws SQLException {
    List<@Nullable String> texts =
        new ArrayList<>(
            Arrays.asList(
                delivery.id(),
                delivery.source(),
                delivery.origin(),
                delivery.destination(),
                delivery.key(),
                delivery.type(),
                delivery.contentType()));
    texts.addAll(delivery.headers().keySet());
    texts.addAll(delivery.headers().values());
    boolean fits = !delivery.headers().containsKey(CloudEvent.ESCAPED);
    for (String each : texts) {
      fits = fits && text.fits(connection, each);
    }
    return new Stored(text, connection, !fits);
  }

  private static void setTime(PreparedStatement statement, int index, @Nullable Instant time)
      throws SQLException {
    // PostgreSQL's range of years is smaller than Java's, and a message must not be kept out by it.
    boolean storable = time != null && time.isAfter(EARLIEST) && time.isBefore(LATEST);
    statement.setObject(
        index,
        storable && time != null ? time.atOffset(ZoneOffset.UTC) : null,
        Types.TIMESTAMP_WITH_TIMEZONE);
  }

  private static UUID fingerprint(Delivery delivery) {
    MessageDigest digest = InboxIds.sha256();
    // Where headers could not be read, the broker's own are among them: how often it was delivered.
    Map<String, String> headers = new LinkedHashMap<>(delivery.headers());
    headers.remove(CloudEvent.UNREADABLE_TABLE);
    String attributes =
        String.join(
            "\u0000",
            String.valueOf(delivery.id()),
            String.valueOf(delivery.source()),
            String.valueOf(delivery.key()),
            String.valueOf(delivery.time()),
            headers.toString());
    digest.update(attributes.getBytes(StandardCharsets.UTF_8));
    byte[] payload = delivery.payload();
    if (payload != null) {
      digest.update(payload);
    }
    return InboxIds.uuid(digest.digest());
  }

  /** An origin can contain a foreign id, and a row of its index has room for 2,704 bytes. */
  private static @Nullable String indexable(String origin, Stored stored) throws SQLException {
    String whole = String.valueOf(stored.of(origin));
    if (DatabaseText.bytes(whole) <= LONGEST_ORIGIN_BYTES) {
      return whole;
    }
    byte[] hash = InboxIds.sha256().digest(origin.getBytes(StandardCharsets.UTF_8));
    String begin = String.valueOf(stored.of(origin.substring(0, 100)));
    return begin + (stored.escaped() ? "..." : "…") + " sha256:" + HexFormat.of().formatHex(hash);
  }
}
