package dev.twinbox.inbox;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Every statement on the hot path, and the consumer's registration. Holds no state. */
final class InboxStore {
  private static final Duration LONGEST_GRACE = Duration.ofSeconds(30);

  private final String findConsumer;
  private final String addConsumer;
  private final String addConsumerAgain;
  private final String restoreRows;
  private final String begin;
  private final String insertOne;
  private final String beginAndInsertOne;
  private final String beginAndInsertMany;
  private final String commitBeginAndInsertOne;
  private final String continueUntilTimeout;
  private final String isRecorded;
  private final String areRecorded;
  private final String durablyInsertOne;
  private final String takePasses;
  private final String givePass;
  private final String hasPass;

  InboxStore(String schema, Duration handlerTimeLimit) {
    // Both by primary key, the second of one row.
    findConsumer =
        """
        select c.consumer_id,
          (extract(epoch from c.refuses_from) * 1000)::bigint,
          (extract(epoch from c.kept_from) * 1000)::bigint,
          (extract(epoch from r.closed_before) * 1000)::bigint,
          (extract(epoch from r.horizon) * 1000)::bigint,
          (extract(epoch from clock_timestamp()) * 1000)::bigint
        from %1$s.inbox_consumer c cross join %1$s.inbox_retention r
        where c.consumer = ?\
        """
            .formatted(schema);
    addConsumer =
        """
        insert into %1$s.inbox_consumer (consumer, refuses_from, kept_from)
        select ?, clock_timestamp() - horizon, closed_before from %1$s.inbox_retention
        on conflict (consumer) do nothing\
        """
            .formatted(schema);
    // After TRUNCATE: another consumer must not be given the number under which this one still
    // records ids, nor this one another's. Nothing where it was given to a new one meanwhile.
    addConsumerAgain =
        """
        insert into %1$s.inbox_consumer (consumer_id, consumer, refuses_from, kept_from)
        overriding system value
        select ?, ?, clock_timestamp() - horizon, closed_before from %1$s.inbox_retention
        on conflict do nothing"""
            .formatted(schema);
    restoreRows = "select %s.inbox_restore_rows()".formatted(schema);
    // The primary key's index of the one partition that the id falls into. Waits for a transaction
    // that has inserted the same id and is still open.
    insertOne =
        ("insert into %s.inbox (message_id, consumer_id) values (?, ?) on conflict do nothing"
                + " returning pg_current_xact_id()::text")
            .formatted(schema);
    String insertMany =
        """
        insert into %s.inbox (message_id, consumer_id)
        select id, ? from unnest(cast(? as uuid[])) as arrived(id)
        on conflict do nothing returning message_id, pg_current_xact_id()::text\
        """
            .formatted(schema);
    // One round trip for the transaction's settings and the insert. A handler that neither returns
    // nor uses the database, or whose process is frozen, loses its session, so that whoever gets
    // the message next does not wait for its row for ever; one that waits inside a statement, where
    // no interrupt reaches it, gets an error. Later than the consumers interrupt it, so that the
    // error says which handler it was. A shorter statement_timeout of the role's stays.
    long millis =
        handlerTimeLimit
            .plus(handlerTimeLimit.compareTo(LONGEST_GRACE) < 0 ? handlerTimeLimit : LONGEST_GRACE)
            .toMillis();
    String limits =
        """
        select null::uuid where concat(
          set_config('idle_in_transaction_session_timeout', '%1$s', true),
          set_config('statement_timeout',
            case when current_setting('statement_timeout')::interval
                between interval '1 millisecond' and interval '%1$s milliseconds'
              then current_setting('statement_timeout') else '%1$s' end, true)) = '';
        """
            .formatted(millis);
    begin = OpenTransaction.BEGUN + "; " + limits;
    beginAndInsertOne = begin + insertOne;
    beginAndInsertMany = begin + insertMany;
    // The first statement fails where PostgreSQL has aborted the transaction, and what follows a
    // failed one is skipped: nothing of the next transaction runs before this one is committed.
    commitBeginAndInsertOne =
        OpenTransaction.COMMIT_BEGUN
            + "; begin "
            + OpenTransaction.MODES
            + "; "
            + limits
            + insertOne;
    // The same where the limit of statements is known: SET LOCAL takes a tenth of the time of a
    // SELECT that sets.
    continueUntilTimeout =
        OpenTransaction.COMMIT_BEGUN
            + "; begin "
            + OpenTransaction.MODES
            + "; set local idle_in_transaction_session_timeout = %s; set local statement_timeout = '"
                .formatted(millis);
    // By primary key.
    isRecorded =
        "select exists (select from %s.inbox where message_id = ? and consumer_id = ?)"
            .formatted(schema);
    areRecorded =
        """
        select (select count(*) from %1$s.inbox
            where consumer_id = ? and message_id = any (cast(? as uuid[])))
            = cardinality(cast(? as uuid[]))
          and not exists (select from %1$s.inbox_pass
            where consumer_id = ? and message_id = any (cast(? as uuid[])))\
        """
            .formatted(schema);
    durablyInsertOne = "set local synchronous_commit = on; " + insertOne;
    // Only what lies in quarantine: a message that a redrive has processed meanwhile is not let
    // through once more, because its row is gone, which this waits for.
    takePasses =
        """
        with taken as (
          delete from %1$s.inbox_pass where consumer_id = ? and message_id = any (cast(? as uuid[]))
          returning consumer_id, message_id)
        delete from %1$s.inbox_dead_letter d using taken t
        where d.consumer_id = t.consumer_id and d.message_id = t.message_id and d.id_recorded
        returning d.message_id, pg_current_xact_id()::text\
        """
            .formatted(schema);
    givePass =
        """
        insert into %s.inbox_pass (consumer_id, message_id, granted_by) values (?, ?, ?)
        on conflict do nothing"""
            .formatted(schema);
    hasPass =
        "select exists (select from %s.inbox_pass where consumer_id = ? and message_id = ?)"
            .formatted(schema);
  }

  @Nullable Registration registration(Connection connection, String consumer) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(findConsumer)) {
      statement.setString(1, consumer);
      try (ResultSet row = statement.executeQuery()) {
        return row.next()
            ? new Registration(
                row.getInt(1),
                row.getLong(2),
                row.getLong(3),
                row.getLong(4),
                row.getLong(5),
                row.getLong(6),
                System.nanoTime())
            : null;
      }
    }
  }

  /** Makes the rows again without which no consumer can be registered. */
  void restoreRows(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(restoreRows);
    }
  }

  /**
   * Registers the consumer.
   *
   * @param before the number that it had, or 0 when it is new
   */
  void register(Connection connection, String consumer, int before) throws SQLException {
    if (before != 0) {
      try (PreparedStatement statement = connection.prepareStatement(addConsumerAgain)) {
        statement.setInt(1, before);
        statement.setString(2, consumer);
        if (statement.executeUpdate() > 0) {
          return;
        }
      }
    }
    try (PreparedStatement statement = connection.prepareStatement(addConsumer)) {
      statement.setString(1, consumer);
      statement.executeUpdate();
    }
  }

  /** Begins a handler's transaction without recording anything yet. */
  void begin(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(begin);
    }
  }

  /** Begins a transaction by recording the ids; tells those that were not recorded before. */
  Recorded begin(Connection connection, int consumer, List<UUID> ids) throws SQLException {
    return ids.size() == 1
        ? insertOne(connection, beginAndInsertOne, consumer, ids.get(0))
        : insertMany(connection, beginAndInsertMany, consumer, ids);
  }

  /**
   * Commits a transaction durably, and begins the next one by recording the id; tells whether it
   * was not recorded before. One round trip. Where it fails, the commit may have succeeded or not,
   * and the next transaction may be open.
   *
   * @param begun the id of the transaction that is committed
   */
  Recorded commitAndBegin(Connection connection, String begun, int consumer, UUID id)
      throws SQLException {
    return commitAndBegin(connection, commitBeginAndInsertOne, begun, consumer, id);
  }

  /**
   * The same where it is known what the limit of statements comes to, by {@link #continuing}.
   *
   * @param text for this connection
   */
  Recorded commitAndBegin(Connection connection, String text, String begun, int consumer, UUID id)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(text)) {
      statement.setString(1, begun);
      statement.setObject(2, id);
      statement.setInt(3, consumer);
      Recorded recorded = Recorded.one(id, execute(statement));
      SqlTrouble.refuseUnconfirmed(statement);
      return recorded;
    }
  }

  /**
   * The text for further transactions on a connection, from what limits one that {@link
   * #commitAndBegin} has begun: the handler's limit, or a shorter one of the role's. A round trip.
   */
  String continuing(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select current_setting('statement_timeout')")) {
      row.next();
      return continueUntilTimeout + row.getString(1) + "'; " + insertOne;
    }
  }

  boolean isRecorded(Connection connection, int consumer, UUID id) throws SQLException {
    return exists(connection, isRecorded, id, consumer);
  }

  /**
   * Whether all ids are recorded, and no pass is left for any. Where a transaction that recorded
   * them, or took their passes, may have been cut off by a crash of PostgreSQL, only this tells
   * whether it was committed: its id can be given to another transaction after the crash, as long
   * as nothing of it was on disk.
   */
  boolean areRecorded(Connection connection, int consumer, Collection<UUID> ids)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(areRecorded)) {
      Array all = connection.createArrayOf("uuid", ids.toArray());
      statement.setInt(1, consumer);
      statement.setArray(2, all);
      statement.setArray(3, all);
      statement.setInt(4, consumer);
      statement.setArray(5, all);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  /** Records the id inside a transaction; tells whether it was not recorded before. */
  boolean record(Connection connection, int consumer, UUID id) throws SQLException {
    return !insertOne(connection, insertOne, consumer, id).isEmpty();
  }

  /** The same for a transaction that the caller will commit. */
  Recorded recordDurably(Connection connection, int consumer, UUID id) throws SQLException {
    return insertOne(connection, durablyInsertOne, consumer, id);
  }

  /**
   * What the caller's transaction has written, or has seen of a former one, is not lost in a crash
   * once it has committed.
   */
  void commitDurably(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(OpenTransaction.DURABLE);
    }
  }

  /** Whether the transaction of this id is the one that is open. */
  boolean isCurrent(Connection connection, String xid) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select pg_current_xact_id_if_assigned() is not distinct from cast(? as xid8)")) {
      statement.setString(1, xid);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  /**
   * Uses up an operator's permission to process these once more, and takes them out of quarantine;
   * tells those that had one and lay there.
   */
  Recorded takePasses(Connection connection, int consumer, Collection<UUID> ids)
      throws SQLException {
    if (ids.isEmpty()) {
      return Recorded.NOTHING;
    }
    try (PreparedStatement statement = connection.prepareStatement(takePasses)) {
      statement.setInt(1, consumer);
      statement.setString(2, array(ids));
      return Recorded.all(execute(statement));
    }
  }

  /** Lets a message in quarantine whose id is recorded be handled at its next delivery. */
  void givePass(Connection connection, int consumer, UUID id, String by) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(givePass)) {
      statement.setInt(1, consumer);
      statement.setObject(2, id);
      statement.setString(3, by);
      statement.executeUpdate();
    }
  }

  boolean hasPass(Connection connection, int consumer, UUID id) throws SQLException {
    return exists(connection, hasPass, consumer, id);
  }

  private static boolean exists(Connection connection, String sql, Object first, Object second)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setObject(1, first);
      statement.setObject(2, second);
      try (ResultSet row = statement.executeQuery()) {
        return row.next() && row.getBoolean(1);
      }
    }
  }

  private static Recorded insertOne(Connection connection, String sql, int consumer, UUID id)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setObject(1, id);
      statement.setInt(2, consumer);
      return Recorded.one(id, execute(statement));
    }
  }

  private static Recorded insertMany(
      Connection connection, String sql, int consumer, List<UUID> ids) throws SQLException {
    List<UUID> sorted = new ArrayList<>(ids);
    // Two batches that insert the same ids in opposite orders would deadlock.
    sorted.sort(null);
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setInt(1, consumer);
      statement.setString(2, array(sorted));
      return Recorded.all(execute(statement));
    }
  }

  /** What the last of the statements returns. */
  static ResultSet execute(PreparedStatement statement) throws SQLException {
    ResultSet last = null;
    boolean rows = statement.execute();
    while (rows || statement.getUpdateCount() != -1) {
      last = rows ? statement.getResultSet() : last;
      rows = statement.getMoreResults(Statement.KEEP_CURRENT_RESULT);
    }
    if (last == null) {
      throw new SQLException("No rows came back");
    }
    return last;
  }

  static String array(Collection<UUID> ids) {
    StringBuilder text = new StringBuilder(ids.size() * 37 + 2).append('{');
    for (UUID id : ids) {
      text.append(id).append(',');
    }
    if (!ids.isEmpty()) {
      text.setLength(text.length() - 1);
    }
    return text.append('}').toString();
  }
}
