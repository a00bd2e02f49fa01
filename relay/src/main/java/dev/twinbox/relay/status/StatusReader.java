package dev.twinbox.relay.status;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.status.Backlog.Lane;
import dev.twinbox.relay.status.Backlog.Pile;
import dev.twinbox.relay.status.Status.BrokerLine;
import dev.twinbox.relay.status.Status.DeadLetterLine;
import dev.twinbox.relay.status.Status.DestinationLine;
import dev.twinbox.relay.status.Status.LaneLine;
import dev.twinbox.relay.status.Status.ParkedLine;
import dev.twinbox.relay.status.Status.RelayLine;
import dev.twinbox.relay.status.Status.Trouble;
import dev.twinbox.relay.store.ClusterGuard;
import dev.twinbox.relay.store.Essentials;
import dev.twinbox.relay.store.OwnTransactions;
import dev.twinbox.relay.store.SchemaGuard;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Reads how things stand, at a cost that does not grow with what waits: at most about 100,000 rows
 * are read, by index, and nothing is written. With the rights of a relay; of other roles'
 * transactions PostgreSQL shows the age only to members of {@code pg_read_all_stats}.
 *
 * <p>Thread-safe.
 */
public final class StatusReader {
  /** Only reads; the planner is kept from sequential scans, which it prefers without statistics. */
  private static final String BEGIN =
      "set local transaction_read_only = on; set local statement_timeout = '30s'; set local"
          + " lock_timeout = '10s'; set local enable_seqscan = off; set local enable_bitmapscan ="
          + " off; set local enable_sort = off; set local jit = off; set local plan_cache_mode ="
          + " force_custom_plan";

  private final OwnTransactions transactions;
  private final String schema;
  private final Tables tables;

  private StatusReader(DataSource database, String schema) {
    transactions = new OwnTransactions(database);
    this.schema = schema;
    tables = Tables.in(schema);
  }

  /**
   * Reads from these tables.
   *
   * @throws IllegalArgumentException when that cannot be a schema's name
   */
  public static StatusReader in(DataSource database, String schema) {
    return new StatusReader(database, schema);
  }

  /**
   * Reads everything in one transaction.
   *
   * @throws IllegalStateException when the tables are missing or too old; names the remedy
   */
  public Status read() throws SQLException {
    try (Connection connection = transactions.open();
        Statement statement = connection.createStatement()) {
      statement.execute(BEGIN);
      return read(new StatusQueries(connection, tables));
    }
  }

  private Status read(StatusQueries queries) throws SQLException {
    int version = version(queries);
    RelayReader relayReader = new RelayReader(queries);
    SideTables side = new SideTables(queries);
    ServerReader server = new ServerReader(queries, schema);
    Backlog backlog = new BacklogReader(queries).read();
    List<RelayLine> relays = relayReader.relays();
    Rates rates = new RatesReader(queries).read(backlog.lastPosition(), !relays.isEmpty());
    List<LaneLine> lanes = relayReader.lanes(backlog.lanes());
    List<ParkedLine> parked = side.parked();
    List<DeadLetterLine> deadLetters = side.deadLetters();
    Map<String, Long> scheduled = side.scheduledByDestination();
    List<Trouble> troubles = relayReader.troubles();
    return new Status(
        schema,
        version,
        queries.one("select clock_timestamp()", r -> StatusQueries.time(r, 1)),
        ClusterGuard.doubts(queries.connection(), tables).orElse(null),
        backlog.lastPosition() > 0 || !scheduled.isEmpty(),
        relays,
        brokers(backlog, lanes),
        destinations(backlog, rates, parked, deadLetters, scheduled, troubles),
        lanes,
        parked,
        deadLetters,
        side.deadLettersLastHour(),
        side.blockedKeys(),
        side.scheduled(scheduled),
        troubles,
        server.transactions(),
        server.oldestSnapshot(),
        server.ring(lowestLane(backlog)),
        server.sizes(),
        server.upkeep(),
        Essentials.missing(queries.connection(), tables));
  }

  private int version(StatusQueries queries) throws SQLException {
    boolean there =
        queries.one(
            "select to_regclass(?) is not null", r -> r.getBoolean(1), tables.of("schema_version"));
    if (!there) {
      throw new IllegalStateException(
          ("The schema %s has no Twinbox tables. Run: bin/twinbox migrate, or call"
                  + " Migrations.apply(dataSource)")
              .formatted(schema));
    }
    int version =
        queries.one("select coalesce(max(version), 0) from {schema_version}", r -> r.getInt(1));
    if (version == 0) {
      throw new IllegalStateException(
          "The rows of schema_version in the schema %s were removed. A relay that starts puts them back, and so does: bin/twinbox migrate"
              .formatted(schema));
    }
    if (version < SchemaGuard.CODE_VERSION) {
      throw new IllegalStateException(
          ("The schema %s is at version %s; this code needs version %s. Run: bin/twinbox migrate,"
                  + " or call Migrations.apply(dataSource)")
              .formatted(schema, version, SchemaGuard.CODE_VERSION));
    }
    return version;
  }

  private static List<BrokerLine> brokers(Backlog backlog, List<LaneLine> lanes) {
    Map<String, Pile> piles = new TreeMap<>(backlog.byBroker());
    lanes.forEach(lane -> piles.putIfAbsent(lane.broker(), Pile.NONE));
    List<BrokerLine> lines = new ArrayList<>();
    piles.forEach(
        (broker, pile) ->
            lines.add(
                new BrokerLine(broker, pile.waiting(), pile.isEstimated(), pile.oldestSeconds())));
    return lines;
  }

  private static @Nullable Integer lowestLane(Backlog backlog) {
    Integer lowest = null;
    long position = Long.MAX_VALUE;
    for (Map.Entry<Integer, Lane> each : backlog.lanes().entrySet()) {
      Long first = each.getValue().lowest();
      if (first != null && first < position) {
        position = first;
        lowest = each.getKey();
      }
    }
    return lowest;
  }

  private static List<DestinationLine> destinations(
      Backlog backlog,
      Rates rates,
      List<ParkedLine> parked,
      List<DeadLetterLine> deadLetters,
      Map<String, Long> scheduled,
      List<Trouble> troubles) {
    Map<String, Pile> piles = backlog.byDestination();
    TreeSet<String> names = new TreeSet<>(piles.keySet());
    names.addAll(rates.in().keySet());
    names.addAll(rates.out().keySet());
    names.addAll(scheduled.keySet());
    parked.forEach(line -> names.add(line.destination()));
    deadLetters.forEach(line -> names.add(line.destination()));
    troubles.forEach(trouble -> names.add(trouble.destination()));
    List<DestinationLine> lines = new ArrayList<>();
    for (String name : names) {
      Pile pile = piles.getOrDefault(name, Pile.NONE);
      List<DeadLetterLine> dead =
          deadLetters.stream().filter(line -> line.destination().equals(name)).toList();
      lines.add(
          new DestinationLine(
              name,
              pile.waiting(),
              pile.isEstimated(),
              pile.oldestSeconds(),
              rates.in(name),
              rates.out(name),
              rates.drainSeconds(name, pile.waiting()),
              parked.stream()
                  .filter(line -> line.destination().equals(name))
                  .mapToLong(ParkedLine::count)
                  .sum(),
              scheduled.getOrDefault(name, 0L),
              dead.stream()
                  .filter(line -> line.reason().equals("expired"))
                  .mapToLong(DeadLetterLine::count)
                  .sum(),
              dead.stream().mapToLong(DeadLetterLine::count).sum()));
    }
    return lines;
  }
}
