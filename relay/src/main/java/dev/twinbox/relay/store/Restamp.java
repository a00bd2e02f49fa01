package dev.twinbox.relay.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.postgres.Tables;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a restored outbox fit for the cluster that it is in now: what is unpublished is stamped
 * anew, with this cluster's transaction ids and with positions above all that were ever used, in
 * its old order; what is published is dropped; the lanes begin again. One transaction, by one relay
 * of all, while producers wait. A crash leaves everything as it was, and lanes unclaimed.
 *
 * <p>Ids, creation times and payloads stay. Scheduled messages, dead letters and parked ones are
 * not touched. Thread-safe.
 */
public final class Restamp {
  private static final Logger log = LoggerFactory.getLogger(Restamp.class);

  /** A backlog of millions takes minutes, in which the server says nothing. */
  private static final int NETWORK_TIMEOUT_MILLIS = Math.toIntExact(Duration.ofHours(1).toMillis());

  private static final String LOCK_NOT_AVAILABLE = "55P03";

  private final Pipeline pipeline;
  private final Tables tables;
  private final RestampSql sql;
  private final long gate;

  /** Works on the tables in {@code tables}. */
  public Restamp(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    this.tables = tables;
    sql = new RestampSql(tables);
    gate =
        UUID.nameUUIDFromBytes(tables.of("outbox_restamp").getBytes(UTF_8))
            .getMostSignificantBits();
  }

  /**
   * What was done.
   *
   * @param reason why the tables did not fit
   * @param byLane how many messages were stamped anew, by lane
   * @param dropped how many rows of published messages were dropped
   * @param abovePosition all positions are above this one now
   */
  public record Report(
      String reason, SortedMap<Integer, Long> byLane, long dropped, long abovePosition) {
    public Report {
      byLane = new TreeMap<>(byLane);
    }

    /** How many messages were stamped anew. */
    public long stamped() {
      return byLane.values().stream().mapToLong(Long::longValue).sum();
    }

    /** In words, for the log and the audit. */
    public String text() {
      return "%s; %s unpublished messages stamped anew above position %s, by lane %s; %s published ones dropped"
          .formatted(reason, stamped(), abovePosition, byLane, dropped);
    }
  }

  /**
   * Re-stamps once.
   *
   * @param relay who does it, for the audit
   * @param reason what {@link ClusterGuard} found
   * @return what was done; empty when another relay does it or has done it, or when somebody kept a
   *     lock on the tables for longer than a second: then it is to be tried again
   */
  public Optional<Report> run(String relay, String reason) throws SQLException {
    try (Connection connection = pipeline.borrow(NETWORK_TIMEOUT_MILLIS);
        Statement statement = Pipeline.statement(connection)) {
      try {
        if (!beginAlone(connection, statement)) {
          return Optional.empty();
        }
        // Committed first: raising the sequence hides the evidence, and outlives a crash.
        statement.execute(sql.doubt());
        statement.execute("commit");
        if (!beginAlone(connection, statement)) {
          return Optional.empty();
        }
        statement.execute(sql.lock());
        Report report = restamp(connection, statement, relay, reason);
        statement.execute("commit");
        return Optional.of(report);
      } catch (SQLException e) {
        if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
          throw e;
        }
        log.warn("Re-stamping waits for others who use the tables: {}", e.getMessage());
        return Optional.empty();
      } finally {
        // Also after the commit, where the server only notes that there is nothing to roll back.
        Pipeline.rollback(connection);
      }
    }
  }

  /** Begins a transaction; says whether no other relay is at it, and it is still to be done. */
  private boolean beginAlone(Connection connection, Statement statement) throws SQLException {
    statement.execute(RestampSql.BEGIN);
    try (PreparedStatement alone =
        Pipeline.unnamed(connection.prepareStatement("select pg_try_advisory_xact_lock(?)"))) {
      alone.setLong(1, gate);
      try (ResultSet rows = alone.executeQuery()) {
        return rows.next()
            && rows.getBoolean(1)
            && ClusterGuard.doubtsAtStart(connection, tables).isPresent();
      }
    }
  }

  private Report restamp(Connection connection, Statement statement, String relay, String reason)
      throws SQLException {
    long all = number(statement, sql.count());
    long stamped = statement.executeLargeUpdate(sql.stage());
    statement.execute(sql.archive());
    long base = number(statement, sql.raiseSequence());
    statement.execute(sql.empty());
    statement.execute(sql.insert());
    SortedMap<Integer, Long> byLane = byLane(statement);
    statement.execute(sql.resetLanes().formatted(base));
    statement.execute(sql.tidy());
    Report report = new Report(reason, byLane, all - stamped, base);
    try (PreparedStatement audit = connection.prepareStatement(sql.audit())) {
      audit.setString(1, "relay " + relay);
      audit.setString(2, report.text());
      audit.setLong(3, report.stamped());
      audit.executeUpdate();
    }
    return report;
  }

  private SortedMap<Integer, Long> byLane(Statement statement) throws SQLException {
    SortedMap<Integer, Long> lanes = new TreeMap<>();
    try (ResultSet rows = statement.executeQuery(sql.byLane())) {
      while (rows.next()) {
        lanes.put(rows.getInt(1), rows.getLong(2));
      }
    }
    return lanes;
  }

  private static long number(Statement statement, String query) throws SQLException {
    try (ResultSet rows = statement.executeQuery(query)) {
      rows.next();
      return rows.getLong(1);
    }
  }
}
