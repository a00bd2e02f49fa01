package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Whether a relay slows down while a forgotten transaction keeps vacuum from removing anything and
 * windows are settled all the time.
 */
public final class HeldHorizon implements Scenario {
  private static final int KEYS = 10_000;
  private static final String SETTLED =
      "select coalesce(sum(window_number), 0) from twinbox.outbox_lane_state where broker ="
          + " 'kafka'";

  @Override
  public Set<Figure> figures() {
    return Set.of(Figure.HELD_XMIN_RATIO);
  }

  @Override
  public void run(Bench bench) throws Exception {
    int messages = bench.scale().drained();
    int repetitions = bench.scale().repetitions();
    TestDatabase database = Bench.database(bench.servers().postgres());
    try (Topic topic = new Topic(bench.servers().kafka())) {
      try (Connection connection = database.dataSource().getConnection()) {
        Source.create(connection, messages, KEYS, 256, topic.destination());
      }
      Place place = bench.place(database, topic.destination(), KEYS, 256);
      WorkerProcess process = bench.start("relay", place);
      try (Drain relay = new Drain("relay", process, topic, messages, Duration.ofMinutes(5));
          Connection holding = database.dataSource().getConnection()) {
        relay.warmUp(bench.scale().warmUp(messages));
        List<Double> before = capacity(bench, "before", relay, repetitions);
        hold(holding);
        double settled = Rows.number(database, SETTLED);
        process.ask("start");
        settle(bench, database, settled + bench.scale().settles());
        process.ask("stop");
        List<Double> after = capacity(bench, "after", relay, repetitions);
        FigureResult outcome = bench.of(Figure.HELD_XMIN_RATIO);
        for (int i = 0; i < repetitions; i++) {
          outcome
              .side("before_per_s", before.get(i))
              .side("after_per_s", after.get(i))
              .value(after.get(i) / before.get(i));
        }
        outcome.side("settles", Rows.number(database, SETTLED) - settled);
        holding.rollback();
      }
    }
  }

  private static List<Double> capacity(Bench bench, String when, Drain relay, int repetitions)
      throws Exception {
    List<Double> rates = new ArrayList<>();
    for (int i = 1; i <= repetitions; i++) {
      rates.add(relay.run().rate());
      bench.say("held horizon, %s, %s: %.0f/s", when, i, rates.get(i - 1));
    }
    return rates;
  }

  /** A snapshot that is kept, and a transaction id with it. */
  private static void hold(Connection connection) throws Exception {
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try (Statement statement = connection.createStatement()) {
      statement.execute("select pg_current_xact_id()");
    }
  }

  /** One message a lane and transaction, again and again: each is a window of its own. */
  private static void settle(Bench bench, TestDatabase database, double target) throws Exception {
    try (Connection connection = database.dataSource().getConnection();
        PreparedStatement insert =
            connection.prepareStatement(
                """
                insert into twinbox.outbox (lane, id, destination, key, type, headers, payload)
                select lane, uuidv7(), s.destination, s.key, s.type, s.headers, s.payload
                from generate_series(0, 3) lane
                cross join (select * from bench.source where n = 1 limit 1) s
                """)) {
      long said = System.nanoTime();
      double now = 0;
      while (now < target) {
        for (int i = 0; i < 20; i++) {
          insert.executeUpdate();
        }
        now = Rows.number(database, SETTLED);
        if (System.nanoTime() - said > 10_000_000_000L) {
          said = System.nanoTime();
          bench.say("held horizon: %.0f settles to go", target - now);
        }
      }
    }
  }
}
