package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.sql.Connection;
import java.time.Duration;
import java.util.Set;

/** What the inbox costs a consumer. */
public final class InboxRates implements Scenario {
  private static final int KEYS = 1_000;

  @Override
  public Set<Figure> figures() {
    return Set.of(
        Figure.INBOX_BATCH_VS_NO_INBOX,
        Figure.INBOX_BATCH_VS_NO_INBOX_2K,
        Figure.INBOX_SINGLE_VS_NO_INBOX);
  }

  @Override
  public void run(Bench bench) throws Exception {
    int batches = bench.scale().consumed();
    measure(bench, Figure.INBOX_BATCH_VS_NO_INBOX, "batch", batches, 256);
    measure(bench, Figure.INBOX_BATCH_VS_NO_INBOX_2K, "batch", batches / 2, 2048);
    measure(bench, Figure.INBOX_SINGLE_VS_NO_INBOX, "single", bench.scale().consumedSingly(), 256);
  }

  private static void measure(Bench bench, Figure figure, String how, int messages, int bytes)
      throws Exception {
    if (!bench.wants(figure)) {
      return;
    }
    TestDatabase database = Bench.database(bench.servers().postgres());
    // One partition: a consumer gets them one after the other, and each begins with messages that
    // somebody may have had before, which are no part of a steady state.
    try (Topic topic = new Topic(bench.servers().kafka(), 1)) {
      Place place = bench.place(database, topic.destination(), KEYS, bytes);
      fill(bench, database, place, topic, messages, bytes);
      try (WorkerProcess consumer = bench.start("consumer", place)) {
        String count = Integer.toString(messages);
        consumer.ask("inbox", count, how);
        consumer.ask("plain", count, how);
        FigureResult outcome = bench.of(figure);
        for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
          boolean first = repetition % 2 == 1;
          double ours = first ? consumer.number("inbox", count, how) : 0;
          double theirs = consumer.number("plain", count, how);
          ours = first ? ours : consumer.number("inbox", count, how);
          outcome.side("inbox_per_s", ours).side("no_inbox_per_s", theirs).value(ours / theirs);
          bench.say("%s, %s: %.0f/s over %.0f/s", figure.field(), repetition, ours, theirs);
        }
      }
    }
  }

  private static void fill(
      Bench bench, TestDatabase database, Place place, Topic topic, int messages, int bytes)
      throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      Source.create(connection, messages, KEYS, bytes, topic.destination());
    }
    try (Drain filling =
        new Drain(
            "raw-loop", bench.start("raw-loop", place), topic, messages, Duration.ofMinutes(5))) {
      filling.run();
    }
  }
}
