package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Empties leaves of the ring by TRUNCATE, after copying them to the archive if there is one. A leaf
 * is emptied only when each of its rows belongs to a lane whose {@code done} sees it; a row without
 * a lane forbids it. Whether that holds is tested first without a lock, and decides only when
 * tested again, in a new READ COMMITTED statement, under an exclusive lock that is never waited
 * for. Thread-safe.
 */
public final class Rotation {
  private static final Logger log = LoggerFactory.getLogger(Rotation.class);

  private static final int LOCK_ATTEMPTS = 30;
  private static final long BETWEEN_ATTEMPTS_NANOS = TimeUnit.MILLISECONDS.toNanos(3);

  /** A leaf of large messages takes long to copy, in which the server says nothing. */
  private static final int COPY_TIMEOUT_MILLIS = Math.toIntExact(TimeUnit.MINUTES.toMillis(10));

  private static final String WHOLE_TABLES =
      "set local enable_seqscan = on; set local enable_bitmapscan = on; set local enable_sort = on";

  private final Pipeline pipeline;
  private final Tables tables;

  /** Works on the ring in {@code tables}. */
  public Rotation(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    this.tables = tables;
  }

  /**
   * Tries each leaf once, but for the one in use.
   *
   * @return the names of the leaves that were emptied
   */
  public List<String> rotate() throws SQLException {
    List<String> emptied = new ArrayList<>();
    for (int leaf : others()) {
      if (truncate(leaf)) {
        emptied.add("outbox_" + leaf);
      }
    }
    return emptied;
  }

  /** All leaves that have rows, but that of the position to be drawn next. */
  private List<Integer> others() throws SQLException {
    String sql =
        tables.sql(
            "select leaf from {outbox_ring} r cross join lateral generate_series(0, r.leaves - 1)"
                + " leaf where leaf <> (select (last_value + is_called::int) / r.chunk % r.leaves"
                + " from {outbox_position}) and pg_relation_size(('{outbox_}' || leaf)::regclass) >"
                + " 0 order by leaf");
    return pipeline.query(
        sql,
        s -> {},
        rows -> {
          List<Integer> leaves = new ArrayList<>();
          while (rows.next()) {
            leaves.add(rows.getInt(1));
          }
          return leaves;
        });
  }

  private boolean truncate(int leaf) throws SQLException {
    String table = tables.of("outbox_" + leaf);
    try (Connection connection = pipeline.borrow(COPY_TIMEOUT_MILLIS);
        Statement statement = Pipeline.statement(connection)) {
      try {
        statement.execute(
            Pipeline.BEGIN_UNLIMITED
                + "set local synchronous_commit = local; "
                + WindowReader.INDEX_ORDER_ONLY);
        if (!isNonEmpty(statement, table) || isNeeded(statement, table)) {
          return false;
        }
        if (isArchived(statement) && !isFree(statement, table)) {
          return false;
        }
        Optional<Copied> copied = archive(connection, statement, table);
        if (!lock(statement, table)) {
          log.debug("{} is in use; it is tried again later", table);
          return false;
        }
        if (isNeeded(statement, table)
            || copied.isPresent() && !isStillAll(statement, table, copied.get())) {
          return false;
        }
        statement.execute("truncate only " + table);
        statement.execute("commit");
        return true;
      } finally {
        // Also after the commit, where the server only notes that there is nothing to roll back.
        Pipeline.rollback(connection);
      }
    }
  }

  /**
   * What was copied.
   *
   * @param rows how many rows the leaf had
   * @param snapshot in which it had them
   */
  private record Copied(long rows, String snapshot) {}

  /**
   * Copies the leaf to the archive, if there is one; undone with this transaction. It takes
   * seconds, so it is done before the leaf is locked, and only if it could be.
   *
   * @return empty without an archive
   */
  private Optional<Copied> archive(Connection connection, Statement statement, String table)
      throws SQLException {
    if (!isArchived(statement)) {
      return Optional.empty();
    }
    statement.execute(WHOLE_TABLES);
    try (ResultSet rows =
        statement.executeQuery(
            tables.sql(
                "with "
                    + ArchiveSql.known(table)
                    + ", copied as ("
                    + ArchiveSql.copy(table)
                    + " returning 1) select (select count(*) from "
                    + table
                    + "), pg_current_snapshot()::text, (select count(*) from copied)"))) {
      rows.next();
      Copied copied = new Copied(rows.getLong(1), rows.getString(2));
      statement.execute(WindowReader.INDEX_ORDER_ONLY);
      return Optional.of(copied);
    }
  }

  private boolean isArchived(Statement statement) throws SQLException {
    return ask(statement, tables.sql("select " + ArchiveSql.IS_KEPT));
  }

  /** Whether the leaf could be locked now: else copying it would be for nothing. */
  private static boolean isFree(Statement statement, String table) throws SQLException {
    statement.execute("savepoint probed");
    boolean free = lock(statement, table);
    statement.execute("rollback to savepoint probed");
    return free;
  }

  /**
   * Whether the copy knew every row that is there now. Rows are never changed; what was deleted
   * meanwhile was a dead letter's, which is not copied.
   */
  private static boolean isStillAll(Statement statement, String table, Copied copied)
      throws SQLException {
    statement.execute(WHOLE_TABLES);
    return ask(
        statement,
        "select count(*) <= "
            + copied.rows
            + " and coalesce(bool_and(pg_visible_in_snapshot(xid, '"
            + copied.snapshot
            + "')), true) from "
            + table);
  }

  /** Readers hold the leaf for moments, so a few tries find a gap; a queue would stop them all. */
  private static boolean lock(Statement statement, String table) throws SQLException {
    for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
      statement.execute("savepoint unlocked");
      try {
        statement.execute("lock table only " + table + " in access exclusive mode nowait");
        return true;
      } catch (SQLException e) {
        if (!"55P03".equals(e.getSQLState())) {
          throw e;
        }
        statement.execute("rollback to savepoint unlocked");
        LockSupport.parkNanos(BETWEEN_ATTEMPTS_NANOS);
      }
    }
    return false;
  }

  private static boolean isNonEmpty(Statement statement, String table) throws SQLException {
    return ask(statement, "select pg_relation_size('" + table + "') > 0");
  }

  /**
   * Whether any row of the leaf is not yet relayed, as far as that can be told: in a restored
   * database a new row can seem to be relayed. Not visible in a snapshot means: at or above its
   * xmax, and then beyond the lane's floor, or listed as running. The first are looked up by (lane,
   * position), the others by (xid, lane, position), so that a leaf with a single unrelayed row is
   * not scanned at each attempt. A sequence that was set back hides new rows below the floor: then
   * nothing is emptied. The lanes in the leaf are found by skipping from one to the next.
   */
  private boolean isNeeded(Statement statement, String table) throws SQLException {
    String sql =
        tables.sql(
            "with recursive present(lane) as ((select min(lane) from %1$s) union all select (select"
                + " min(o.lane) from %1$s o where o.lane > p.lane) from present p where p.lane is"
                + " not null) select not "
                + ClusterGuard.HERE
                + " or exists (select 1 from present p left join {outbox_lane_state} l using (lane)"
                + " where p.lane is not null and (l.lane is null or (select last_value from"
                + " {outbox_position}) < l.next_floor or (select late.xid from"
                + " pg_snapshot_xip(l.done) x cross join lateral (select o.xid from %1$s o where"
                + " (o.xid, o.lane, o.position) >= (x, p.lane, 0) and (o.xid, o.lane, o.position)"
                + " <= (x, p.lane, 9223372036854775807) order by o.xid, o.lane, o.position limit 1)"
                + " late limit 1) is not null or (select o.xid from %1$s o where o.lane = p.lane"
                + " and o.position > l.floor and o.xid >= pg_snapshot_xmax(l.done) order by o.lane,"
                + " o.position limit 1) is not null))");
    return ask(statement, sql.formatted(table));
  }

  private static boolean ask(Statement statement, String sql) throws SQLException {
    try (ResultSet answer = statement.executeQuery(sql)) {
      answer.next();
      return answer.getBoolean(1);
    }
  }
}
