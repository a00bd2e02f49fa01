package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The statements by which consumers handle quarantined messages once more. Holds no state. */
final class RedriveStore {
  // From the claim's commit to the handler's transaction it is milliseconds.
  private static final int BEGINS_WITHIN_SECONDS = 10;
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private final DatabaseText text = new DatabaseText();
  private final String lockName;
  private final String tryLock;
  private final String lock;
  private final String due;
  private final String head;
  private final String claim;
  private final String take;
  private final String release;
  private final String sendBack;
  private final String markRecorded;
  private final String remove;
  private final String paceNext;
  private final String count;
  private final String finish;

  RedriveStore(String schema) {
    lockName = schema + ".inbox_redrive";
    // One message of a consumer at a time, whatever the number of its instances: their order is
    // kept. Held until the transaction ends, so it is free at once when a process dies.
    tryLock = "select pg_try_advisory_xact_lock(hashtextextended(?, ?))";
    lock = "select true from pg_advisory_xact_lock(hashtextextended(?, ?))";
    // By the partial index on open redrives, mostly empty.
    due =
        """
        select number, (extract(epoch from next_at - clock_timestamp()) * 1000)::bigint
        from %s.inbox_redrive
        where consumer_id = ? and finished_at is null order by number limit 1\
        """
            .formatted(schema);
    // By the partial index on (redrive, number).
    head =
        """
        select number, message_id, id, source, origin, fingerprint, destination, key, type,
          content_type, message_time, expires_at, headers, payload, id_recorded, claim,
          redrive_tries, coalesce(claimed_at > clock_timestamp() - make_interval(secs => %s), false)
        from %s.inbox_dead_letter where redrive = ? order by number limit 1 for update\
        """
            .formatted(BEGINS_WITHIN_SECONDS, schema);
    claim =
        """
        update %s.inbox_dead_letter set claim = ?, claimed_at = clock_timestamp(),
          redrive_tries = redrive_tries + 1, attempts = attempts + 1
        where number = ?\
        """
            .formatted(schema);
    take =
        """
        select pg_current_xact_id()::text from %s.inbox_dead_letter
        where number = ? and claim = ? for update"""
            .formatted(schema);
    release =
        """
        update %s.inbox_dead_letter set claim = null, claimed_at = null,
          redrive_tries = redrive_tries - 1, attempts = attempts - 1
        where number = ? and claim = ?\
        """
            .formatted(schema);
    sendBack =
        """
        update %s.inbox_dead_letter set redrive = null, redrive_tries = 0, claim = null,
          claimed_at = null, error = ?, reason = case when id_recorded then ? else reason end,
          dead_at = clock_timestamp()
        where number = ? and claim = ?\
        """
            .formatted(schema);
    markRecorded =
        """
        update %s.inbox_dead_letter set id_recorded = true, message_id = coalesce(message_id, ?)
        where number = ? and claim = ?"""
            .formatted(schema);
    remove = "delete from %s.inbox_dead_letter where number = ?".formatted(schema);
    paceNext =
        """
        update %s.inbox_redrive set next_at = greatest(next_at, clock_timestamp())
          + make_interval(secs => 1 / per_second)
        where number = ?\
        """
            .formatted(schema);
    count =
        """
        update %s.inbox_redrive set processed = processed + ?, duplicates = duplicates + ?,
          failed = failed + ?
        where number = ?\
        """
            .formatted(schema);
    finish =
        "update %s.inbox_redrive set finished_at = clock_timestamp() where number = ?"
            .formatted(schema);
  }

  /** What a look for work has found. */
  sealed interface Look {}

  /** There is nothing to do for as long. */
  record Wait(Duration pause) implements Look {}

  /** Something was put in order; look again. */
  record Again() implements Look {}

  /** A message whose turn it is, claimed. */
  record Claimed(
      long number,
      long redrive,
      UUID claim,
      @Nullable UUID messageId,
      UUID fingerprint,
      boolean idRecorded,
      Delivery delivery)
      implements Look {}

  /**
   * Claims the message whose turn it is. The claim counts as an attempt before its handler begins,
   * in case that it kills the process; one that was claimed too often is sent back.
   *
   * @param mine the claim of the caller that the database has interrupted, or null
   * @param tries how often a message is claimed
   */
  Look look(Connection connection, int consumer, @Nullable UUID mine, int tries)
      throws SQLException {
    if (!lock(connection, tryLock, consumer)) {
      return new Wait(LOOK_AGAIN);
    }
    long redrive;
    try (PreparedStatement statement = connection.prepareStatement(due)) {
      statement.setInt(1, consumer);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          return new Wait(LOOK_AGAIN);
        }
        redrive = row.getLong(1);
        long wait = row.getLong(2);
        if (wait > 0) {
          return new Wait(Duration.ofMillis(wait));
        }
      }
    }
    try (PreparedStatement statement = connection.prepareStatement(head)) {
      statement.setLong(1, redrive);
      try (ResultSet row = statement.executeQuery()) {
        if (!row.next()) {
          update(connection, finish, redrive);
          return new Again();
        }
        return claim(connection, row, redrive, mine, tries);
      }
    }
  }

  private Look claim(
      Connection connection, ResultSet row, long redrive, @Nullable UUID mine, int tries)
      throws SQLException {
    long number = row.getLong(1);
    UUID before = row.getObject(16, UUID.class);
    boolean ours = before != null && before.equals(mine);
    if (before != null && !ours && row.getBoolean(18)) {
      return new Wait(LOOK_AGAIN); // another instance is about to begin
    }
    if (before != null && !ours && row.getInt(17) >= tries) {
      sendBack(
          connection,
          number,
          redrive,
          before,
          QuarantineReason.ATTEMPTS_EXHAUSTED,
          QuarantineStore.NOT_FINISHED);
      return new Again();
    }
    UUID claimed = ours && mine != null ? mine : UUID.randomUUID();
    if (!ours) {
      try (PreparedStatement statement = connection.prepareStatement(claim)) {
        statement.setObject(1, claimed);
        statement.setLong(2, number);
        statement.executeUpdate();
      }
      update(connection, paceNext, redrive);
    }
    return new Claimed(
        number,
        redrive,
        claimed,
        row.getObject(2, UUID.class),
        row.getObject(6, UUID.class),
        row.getBoolean(15),
        delivery(row));
  }

  /**
   * Locks a claimed message for its handler's transaction; returns the id of the transaction, or
   * null when it is not claimed any more.
   */
  @Nullable String take(Connection connection, int consumer, Claimed claimed) throws SQLException {
    lock(connection, lock, consumer); // at most for another's short look
    try (PreparedStatement statement = connection.prepareStatement(take)) {
      statement.setLong(1, claimed.number());
      statement.setObject(2, claimed.claim());
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    }
  }

  /** The message has left quarantine, with its handler's effects or because it is a duplicate. */
  void settle(Connection connection, Claimed claimed, boolean processed) throws SQLException {
    update(connection, remove, claimed.number());
    count(connection, claimed.redrive(), processed ? 1 : 0, processed ? 0 : 1, 0);
  }

  /** Takes note that its id stands in the inbox although it was not processed. */
  void markRecorded(Connection connection, Claimed claimed, UUID id) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(markRecorded)) {
      statement.setObject(1, id);
      statement.setLong(2, claimed.number());
      statement.setObject(3, claimed.claim());
      statement.executeUpdate();
    }
  }

  /** Gives the claim back as if it had not been made. */
  void release(Connection connection, Claimed claimed) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(release)) {
      statement.setLong(1, claimed.number());
      statement.setObject(2, claimed.claim());
      statement.executeUpdate();
    }
  }

  /** Back to quarantine with a new error; nothing where the claim is void by now. */
  void sendBack(
      Connection connection,
      long number,
      long redrive,
      UUID claim,
      QuarantineReason reason,
      String error)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sendBack)) {
      statement.setString(1, text.readable(connection, error));
      statement.setString(2, reason.code());
      statement.setLong(3, number);
      statement.setObject(4, claim);
      if (statement.executeUpdate() == 1) {
        count(connection, redrive, 0, 0, 1);
      }
    }
  }

  private boolean lock(Connection connection, String sql, int consumer) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, lockName);
      statement.setLong(2, consumer);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  private void count(Connection connection, long redrive, int processed, int duplicates, int failed)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(count)) {
      statement.setInt(1, processed);
      statement.setInt(2, duplicates);
      statement.setInt(3, failed);
      statement.setLong(4, redrive);
      statement.executeUpdate();
    }
  }

  private static void update(Connection connection, String sql, long number) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setLong(1, number);
      statement.executeUpdate();
    }
  }

  private static Delivery delivery(ResultSet row) throws SQLException {
    StoredTexts texts = StoredTexts.of(row, 13);
    return new Delivery(
        texts.get(3),
        texts.get(4),
        texts.get(9),
        texts.get(7),
        texts.get(8),
        texts.get(10),
        instant(row, 11),
        instant(row, 12),
        texts.headers(),
        row.getBytes(14),
        String.valueOf(texts.get(5)),
        true,
        null);
  }

  static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }
}
