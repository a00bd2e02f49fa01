package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.testkit.TestDatabase;
import java.sql.Connection;
import java.time.Duration;
import java.util.Set;

/** Whether a message behind ten millions costs more than one behind a few. */
public final class LargeBacklog implements Scenario {
  private static final int KEYS = 10_000;
  private static final int SOURCE = 500_000;

  /** What four lanes may have unconfirmed. */
  private static final long IN_FLIGHT = 20_000;

  private static final Duration START_UP = Duration.ofSeconds(1);

  @Override
  public Set<Figure> figures() {
    return Set.of(Figure.BACKLOG_LARGE_VS_SMALL);
  }

  @Override
  public void run(Bench bench) throws Exception {
    int messages = bench.scale().largeBacklog();
    TestDatabase database = Bench.database(bench.servers().postgres());
    try (Topic topic = new Topic(bench.servers().kafka())) {
      try (Connection connection = database.dataSource().getConnection()) {
        Source.create(connection, Math.min(SOURCE, messages), KEYS, 256, topic.destination());
      }
      Place place = bench.place(database, topic.destination(), KEYS, 256);
      try (Drain relay =
          new Drain(
              "relay", bench.start("relay", place), topic, messages, Duration.ofMinutes(30))) {
        relay.warmUp(bench.scale().warmUp(messages / 4));
        for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
          Timeline timeline = relay.run();
          // Connections and producers are made in the first second.
          long begin = Math.min(timeline.countAfter(START_UP), messages / 2L);
          double first = timeline.rate(begin, begin + messages / 10);
          // At the very end nothing is read any more, only confirmed.
          long end = messages - Math.min(IN_FLIGHT, messages / 10L);
          double last = timeline.rate(end - messages / 10, end);
          bench
              .of(Figure.BACKLOG_LARGE_VS_SMALL)
              .side("first_tenth_per_s", first)
              .side("last_tenth_per_s", last)
              .side("all_per_s", timeline.rate())
              .value(first / last);
          bench.say(
              "backlog of %s, %s: %.0f/s at first, %.0f/s at last",
              messages, repetition, first, last);
        }
      }
    }
  }
}
