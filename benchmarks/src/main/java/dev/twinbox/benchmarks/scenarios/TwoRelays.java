package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.sql.Connection;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Two relay processes that share the lanes, beside one. */
public final class TwoRelays implements Scenario {
  private static final int KEYS = 10_000;
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String SHARED =
      "select count(distinct owner) from twinbox.outbox_lane_state where broker = 'kafka'";

  @Override
  public Set<Figure> figures() {
    return Set.of(Figure.RELAYS_2_VS_1);
  }

  @Override
  public void run(Bench bench) throws Exception {
    int messages = bench.scale().drained();
    TestDatabase database = Bench.database(bench.servers().postgres());
    try (Topic topic = new Topic(bench.servers().kafka())) {
      try (Connection connection = database.dataSource().getConnection()) {
        Source.create(connection, messages, KEYS, 256, topic.destination());
      }
      Place place = bench.place(database, topic.destination(), KEYS, 256);
      try (WorkerProcess first = bench.start("relay", place);
          WorkerProcess second = bench.start("relay", place)) {
        one(first, topic, messages);
        one(second, topic, messages);
        for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
          double alone = one(first, topic, messages);
          double both = both(database, first, second, topic, messages);
          bench
              .of(Figure.RELAYS_2_VS_1)
              .side("one_per_s", alone)
              .side("two_per_s", both)
              .value(both / alone);
          bench.say("relays, %s: one %.0f/s, two %.0f/s", repetition, alone, both);
        }
      }
    }
  }

  private static double one(WorkerProcess relay, Topic topic, int messages) throws Exception {
    relay.ask("start");
    double rate = drain(relay, topic, messages);
    relay.ask("stop");
    return rate;
  }

  private static double both(
      TestDatabase database, WorkerProcess first, WorkerProcess second, Topic topic, int messages)
      throws Exception {
    first.ask("start");
    second.ask("start");
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (Rows.number(database, SHARED) < 2 && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
    double rate = drain(first, topic, messages);
    first.ask("stop");
    second.ask("stop");
    return rate;
  }

  /** The backlog comes at once to relays that have shared the lanes before. */
  private static double drain(WorkerProcess relay, Topic topic, int messages) throws Exception {
    long before = topic.count();
    relay.ask("pour", Integer.toString(messages));
    return Timeline.watch(topic, before, messages, PATIENCE).rate();
  }
}
