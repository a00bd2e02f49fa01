package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import javax.sql.DataSource;

/**
 * Gives a broker another number of lanes. No message is moved: the old lanes are retired and
 * drained to their end, new ones with numbers of their own take what is enqueued from now on and
 * are begun when the old ones are closed. So the order of each key is kept, and writers are held
 * off only while a few rows are written.
 *
 * <p>The exclusive lock on the outbox waits for every transaction that has enqueued, so that all
 * rows of the old lanes are committed when they are retired. Later statements see the new lanes,
 * but for those of a REPEATABLE READ transaction that began before: a check constraint, which looks
 * at no snapshot, refuses their rows, and the transaction has to be run again.
 *
 * <p>Wants the owner of the tables. Thread-safe.
 */
public final class LaneChange {
  /** As many as the tables admit. */
  public static final int MOST_LANES = 1024;

  private static final String LOCK_NOT_AVAILABLE = "55P03";
  private static final String CONSTRAINT = "outbox_lane_in_use";

  private final OwnTransactions transactions;
  private final Tables tables;

  /** Works on the tables in {@code tables}. */
  public LaneChange(DataSource database, Tables tables) {
    transactions = new OwnTransactions(database);
    this.tables = tables;
  }

  /**
   * A broker's lanes.
   *
   * @param broker its name
   * @param first the number of its first lane
   * @param lanes how many there are, in a row
   * @param closing retired lanes that are not closed yet; the new ones wait for them
   */
  public record BrokerLanes(String broker, int first, int lanes, List<Integer> closing) {
    public BrokerLanes {
      closing = List.copyOf(closing);
    }

    /** The number of its last lane. */
    public int last() {
      return first + lanes - 1;
    }
  }

  /**
   * What a change did.
   *
   * @param before the lanes that are retired now
   * @param after the lanes that take messages now
   * @param heldOff how long writers were held off at most, by this machine's clock
   */
  public record Changed(BrokerLanes before, BrokerLanes after, Duration heldOff) {}

  /** Every broker's lanes, by name. */
  public List<BrokerLanes> list() throws SQLException {
    try (Connection connection = transactions.open();
        Statement statement = connection.createStatement()) {
      return list(statement);
    }
  }

  private List<BrokerLanes> list(Statement statement) throws SQLException {
    List<BrokerLanes> found = new ArrayList<>();
    try (ResultSet rows =
        statement.executeQuery(
            tables.sql(
                "select b.broker, b.first_lane, b.lanes, array(select l.lane from {outbox_lane} l"
                    + " where l.broker = b.broker and l.retired_at is not null and l.closed_at is"
                    + " null order by l.lane) as closing from {outbox_broker} b order by"
                    + " b.broker"))) {
      while (rows.next()) {
        found.add(
            new BrokerLanes(
                rows.getString("broker"),
                rows.getInt("first_lane"),
                rows.getInt("lanes"),
                List.of((Integer[]) rows.getArray("closing").getArray())));
      }
    }
    return found;
  }

  /**
   * Changes the number once.
   *
   * @param broker the broker's name, as in {@link #list()}
   * @param lanes how many it shall have; 1 to {@value #MOST_LANES}
   * @param by who does it, for the audit
   * @param lockTimeout how long writers may have to wait behind this for transactions that are open
   * @return what was done; empty when a transaction stayed open for longer: then nothing was done
   *     and it is to be tried again
   * @throws IllegalArgumentException when there is no such broker, or the number is out of bounds
   */
  public Optional<Changed> run(String broker, int lanes, String by, Duration lockTimeout)
      throws SQLException {
    if (lanes < 1 || lanes > MOST_LANES) {
      throw new IllegalArgumentException(
          "The number of lanes is %s; choose 1 to %s.".formatted(lanes, MOST_LANES));
    }
    try (Connection connection = transactions.open();
        Statement statement = connection.createStatement()) {
      try {
        statement.execute(
            "set local synchronous_commit = on; set local statement_timeout = 0; set local"
                + " lock_timeout = %s; lock table %s in share row exclusive mode"
                    .formatted(lockTimeout.toMillis(), tables.of("outbox_broker")));
        BrokerLanes before = find(statement, broker);
        long since = System.nanoTime();
        statement.execute("lock table " + tables.of("outbox") + " in access exclusive mode");
        BrokerLanes after = change(connection, before, lanes, by);
        connection.commit();
        return Optional.of(new Changed(before, after, Duration.ofNanos(System.nanoTime() - since)));
      } catch (SQLException e) {
        if (!LOCK_NOT_AVAILABLE.equals(e.getSQLState())) {
          throw e;
        }
        return Optional.empty();
      } finally {
        // Also after the commit, where there is nothing to roll back.
        connection.rollback();
      }
    }
  }

  private BrokerLanes find(Statement statement, String broker) throws SQLException {
    List<BrokerLanes> all = list(statement);
    return all.stream()
        .filter(each -> each.broker().equals(broker))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "There is no broker '%s'; those with lanes are %s."
                        .formatted(broker, all.stream().map(BrokerLanes::broker).toList())));
  }

  private BrokerLanes change(Connection connection, BrokerLanes before, int lanes, String by)
      throws SQLException {
    try (PreparedStatement retire =
            connection.prepareStatement(
                tables.sql(
                    "update {outbox_lane} set retired_at = clock_timestamp() where broker = ? and"
                        + " retired_at is null"));
        PreparedStatement appoint =
            connection.prepareStatement(
                tables.sql(
                    "update {outbox_broker} set lanes = ?, first_lane = (select max(lane) + 1 from"
                        + " {outbox_lane}) where broker = ? returning first_lane"))) {
      retire.setString(1, before.broker());
      retire.executeUpdate();
      appoint.setInt(1, lanes);
      appoint.setString(2, before.broker());
      int first;
      try (ResultSet rows = appoint.executeQuery()) {
        rows.next();
        first = rows.getInt(1);
      }
      BrokerLanes after = new BrokerLanes(before.broker(), first, lanes, closing(before));
      create(connection, after);
      forbidRetired(connection);
      audit(connection, before, after, by);
      return after;
    }
  }

  private static List<Integer> closing(BrokerLanes before) {
    List<Integer> closing = new ArrayList<>(before.closing());
    for (int lane = before.first(); lane <= before.last(); lane++) {
      closing.add(lane);
    }
    return closing;
  }

  private void create(Connection connection, BrokerLanes after) throws SQLException {
    try (PreparedStatement create =
        connection.prepareStatement(
            tables.sql(
                "with fresh as (insert into {outbox_lane} (lane, broker, shard, generation) select"
                    + " ? + shard, ?, shard, (select max(generation) + 1 from {outbox_lane} where"
                    + " broker = ?) from generate_series(0, ? - 1) shard returning lane) insert"
                    + " into {outbox_lane_log} (lane, seq, action, epoch, window_number, done,"
                    + " floor, next_floor, ceiling, cursor_position, ahead) select lane, 0,"
                    + " 'create', 0, 0, '1:1:', 0, 0, 0, 0, '{}' from fresh"))) {
      create.setInt(1, after.first());
      create.setString(2, after.broker());
      create.setString(3, after.broker());
      create.setInt(4, after.lanes());
      create.executeUpdate();
    }
  }

  /** NOT VALID: the rows that are there stay. Neighbouring ranges are written as one. */
  private void forbidRetired(Connection connection) throws SQLException {
    StringJoiner ranges = new StringJoiner(" and ");
    try (Statement statement = connection.createStatement()) {
      try (ResultSet rows =
          statement.executeQuery(
              tables.sql(
                  "select min(lane), max(lane) from (select lane, lane - row_number() over (order"
                      + " by lane) as island from {outbox_lane} where retired_at is not null) r"
                      + " group by island order by 1"))) {
        while (rows.next()) {
          ranges.add("lane not between %s and %s".formatted(rows.getInt(1), rows.getInt(2)));
        }
      }
      statement.execute(
          "alter table %1$s drop constraint if exists %2$s, add constraint %2$s check (%3$s) not valid"
              .formatted(tables.of("outbox"), CONSTRAINT, ranges));
    }
  }

  private void audit(Connection connection, BrokerLanes before, BrokerLanes after, String by)
      throws SQLException {
    try (PreparedStatement audit =
        connection.prepareStatement(
            tables.sql(
                "insert into {outbox_audit} (done_by, action, selection, affected) values (?,"
                    + " 'lanes', ?, ?)"))) {
      audit.setString(1, by);
      audit.setString(
          2,
          "%s: lanes %s to %s, formerly %s to %s"
              .formatted(
                  before.broker(), after.first(), after.last(), before.first(), before.last()));
      audit.setInt(3, after.lanes());
      audit.executeUpdate();
    }
  }
}
