package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.sql.Connection;
import java.util.Set;

/**
 * How long a message takes through a relay that is a process of its own and only polls, beside a
 * bare producer that was asked at the same rate.
 */
public final class EndToEnd implements Scenario {
  private static final int RATE = 1_000;
  private static final int KEYS = 1_000;

  @Override
  public Set<Figure> figures() {
    return Set.of(Figure.END_TO_END_P50_MS, Figure.END_TO_END_P99_MS);
  }

  @Override
  public void run(Bench bench) throws Exception {
    TestDatabase database = Bench.database(bench.servers().postgres());
    try (Topic topic = new Topic(bench.servers().kafka())) {
      try (Connection connection = database.dataSource().getConnection()) {
        Source.create(connection, 1, KEYS, 256, topic.destination());
      }
      Place place = bench.place(database, topic.destination(), KEYS, 256);
      try (WorkerProcess relay = bench.start("relay", place);
          WorkerProcess producer = bench.start("relay", place);
          WorkerProcess bare = bench.start("bare-producer", place)) {
        relay.ask("start");
        int seconds = bench.scale().latencySeconds();
        int warmUp = Math.max(2 * bench.scale().latencyWarmUpSeconds(), seconds);
        Latencies.measure(bench, producer, relay, RATE, warmUp);
        Latencies.measure(bench, bare, bare, RATE, bench.scale().latencyWarmUpSeconds());
        for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
          Latencies ours = Latencies.measure(bench, producer, relay, RATE, seconds);
          Latencies theirs = Latencies.measure(bench, bare, bare, RATE, seconds);
          note(bench.of(Figure.END_TO_END_P50_MS), ours.p50(), ours.p50AfterCommit(), theirs.p50());
          note(bench.of(Figure.END_TO_END_P99_MS), ours.p99(), ours.p99AfterCommit(), theirs.p99());
          bench.say(
              "end to end, %s: p50 %.1f ms, p99 %.1f ms; bare %.1f and %.1f ms",
              repetition, ours.p50(), ours.p99(), theirs.p50(), theirs.p99());
        }
        relay.ask("stop");
      }
    }
  }

  private static void note(FigureResult outcome, double ours, double afterCommit, double bare) {
    outcome
        .side("from_due_ms", ours)
        .side("from_commit_ms", afterCommit)
        .side("bare_producer_ms", bare)
        .value(ours - bare);
  }
}
