package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A relay with four lanes and nothing to do. It is started before everything else and looked at in
 * the end: its compilers, and the pauses between polls, which grow, are not idling yet.
 */
public final class Idle implements Scenario {
  private record Started(TestDatabase database, Topic topic, WorkerProcess relay, long at) {
    Started(TestDatabase database, Topic topic, WorkerProcess relay) {
      this(database, topic, relay, System.nanoTime());
    }
  }

  private static final String CALLS =
      """
      select coalesce(sum(s.calls), 0) from pg_stat_statements s
      join pg_database d on d.oid = s.dbid
      where d.datname = current_database() and s.query not like '%pg_stat_statements%'
      """;

  private @Nullable Started idle;

  @Override
  public Set<Figure> figures() {
    return Set.of(Figure.IDLE_CPU_PERCENT, Figure.IDLE_STATEMENTS_PER_S);
  }

  @Override
  public void begin(Bench bench) throws Exception {
    TestDatabase database = Bench.database(bench.servers().postgres());
    Rows.execute(database, "create extension pg_stat_statements");
    // In this database alone; elsewhere nothing is counted, as counting costs.
    Rows.execute(
        database, "alter database " + database.name() + " set pg_stat_statements.track = 'all'");
    Topic destination = new Topic(bench.servers().kafka());
    WorkerProcess process =
        bench.start("relay", bench.place(database, destination.destination(), 1, 256));
    idle = new Started(database, destination, process);
    process.ask("start");
  }

  @Override
  public void run(Bench bench) throws Exception {
    Started started = idle;
    if (started == null) {
      return; // beginning has failed
    }
    long since = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - started.at);
    TimeUnit.SECONDS.sleep(Math.max(0, bench.scale().idleForSeconds() - since));
    started.relay.ask("warm");
    for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
      look(bench, started.relay, started.database);
    }
    started.relay.ask("stop");
  }

  @Override
  public void end() {
    Started started = idle;
    if (started != null) {
      started.relay.close();
      started.topic.close();
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
