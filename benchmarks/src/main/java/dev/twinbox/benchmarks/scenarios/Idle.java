package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** A relay with four lanes and nothing to do. */
public final class Idle implements Scenario {
  private static final String CALLS =
      """
      select coalesce(sum(s.calls), 0) from pg_stat_statements s
      join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and s.query not like '%pg_stat_statements%'
      """;

  @Override
  public Set<Figure> figures() {
    return Set.of(Figure.IDLE_CPU_PERCENT, Figure.IDLE_STATEMENTS_PER_S);
  }

  @Override
  public void run(Bench bench) throws Exception {
    TestDatabase database = Bench.database(bench.servers().postgres());
    Rows.execute(database, "create extension pg_stat_statements");
    // In this database alone; elsewhere nothing is counted, as counting costs.
    Rows.execute(
        database, "alter database " + database.name() + " set pg_stat_statements.track = 'all'");
    try (Topic topic = new Topic(bench.servers().kafka());
        WorkerProcess relay =
            bench.start("relay", bench.place(database, topic.destination(), 1, 256))) {
      relay.ask("start");
      // Its compilers, and the pauses between polls, which grow, are not idling yet.
      TimeUnit.SECONDS.sleep(bench.scale().idleSeconds() / 2 + 1);
      for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
        look(bench, relay, database);
      }
      relay.ask("stop");
    }
  }

  private static void look(Bench bench, WorkerProcess relay, TestDatabase database)
      throws Exception {
    double callsBefore = Rows.number(database, CALLS);
    long before = relay.processorTime().toMillis();
    long begin = System.nanoTime();
    TimeUnit.SECONDS.sleep(bench.scale().idleSeconds());
    double seconds = (System.nanoTime() - begin) / 1e9;
    double processor = (relay.processorTime().toMillis() - before) / 10.0 / seconds;
    double calls = (Rows.number(database, CALLS) - callsBefore) / seconds;
    bench.of(Figure.IDLE_CPU_PERCENT).value(processor);
    bench.of(Figure.IDLE_STATEMENTS_PER_S).value(calls);
    bench.say("idle: %.2f %% of a core, %.1f statements/s", processor, calls);
  }
}
