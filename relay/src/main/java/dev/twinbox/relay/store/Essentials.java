package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Rows without which nothing works, which somebody may remove, as by a TRUNCATE of all tables.
 * Thread-safe.
 */
public final class Essentials {
  /** Quartz's duties are known to whoever schedules them. */
  private static final String MISSING =
      "select array_remove(array[case when not exists (select from {schema_version}) then"
          + " 'schema_version' end, case when not exists (select from {outbox_cluster}) then"
          + " 'outbox_cluster' end, case when not exists (select from {outbox_ring}) then"
          + " 'outbox_ring' end, case when not exists (select from {outbox_retention}) then"
          + " 'outbox_retention' end, case when not exists (select from {outbox_broker}) then"
          + " 'outbox_broker' end], null) || array(select 'lane ' || n || ' of ' || b.broker from"
          + " {outbox_broker} b cross join lateral generate_series(b.first_lane, b.first_lane +"
          + " b.lanes - 1) n where not exists (select from {outbox_lane_state} s where s.lane = n"
          + " and s.broker = b.broker) order by n) || array(select 'lanes of ' || k from"
          + " unnest(?::text[]) k where not exists (select from {outbox_broker} b where b.broker ="
          + " k))";

  private final Pipeline pipeline;
  private final String canMend;
  private final String missing;
  private final String mend;

  /** Works on the tables in {@code tables}. */
  public Essentials(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    canMend = tables.sql("select to_regprocedure('{outbox_mend}()') is not null");
    missing = tables.sql(MISSING);
    mend = tables.sql(Pipeline.BEGIN_LONG + "select {outbox_mend}(); commit");
  }

  /** Whether the tables are new enough to be mended. */
  public boolean canMend() throws SQLException {
    return pipeline.query(canMend, s -> {}, rows -> rows.next() && rows.getBoolean(1));
  }

  /**
   * What is missing, each as in {@code outbox_ring} or {@code lanes of kafka}.
   *
   * @param brokers whose lanes there must be
   */
  public List<String> missing(Collection<String> brokers) throws SQLException {
    return pipeline.query(missing, s -> bind(s, brokers), Essentials::texts);
  }

  /** As {@link #missing}, of no broker in particular, on a connection of the caller. */
  public static List<String> missing(Connection connection, Tables tables) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(tables.sql(MISSING))) {
      bind(statement, List.of());
      try (ResultSet rows = statement.executeQuery()) {
        return texts(rows);
      }
    }
  }

  private static void bind(PreparedStatement s, Collection<String> brokers) throws SQLException {
    s.setArray(1, s.getConnection().createArrayOf("text", brokers.toArray()));
  }

  /** Puts back what it can without loss or repeat; returns what. */
  public List<String> mend() throws SQLException {
    return pipeline.query(mend, s -> {}, Essentials::texts);
  }

  private static List<String> texts(ResultSet rows) throws SQLException {
    List<String> texts = new ArrayList<>();
    while (rows.next()) {
      texts.addAll(List.of((String[]) rows.getArray(1).getArray()));
    }
    return texts;
  }
}
