package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.util.Map;
import java.util.Set;

/** What it costs a producer to enqueue, in time. */
public final class WriteRates implements Scenario {
  /**
   * A repetition's slices, one side after the other, so that both run under the same conditions.
   */
  private static final int TURNS = 4;

  @Override
  public Set<Figure> figures() {
    return Set.of(
        Figure.ENQUEUE_VS_BARE_INSERT,
        Figure.ENQUEUE_VS_BARE_INSERT_2K,
        Figure.ENQUEUE_ALL_VS_RAW_BATCH,
        Figure.ENQUEUE_ALL_VS_RAW_BATCH_2K);
  }

  @Override
  public void run(Bench bench) throws Exception {
    measure(bench, Figure.ENQUEUE_VS_BARE_INSERT, "ENQUEUE", "BARE", 256);
    measure(bench, Figure.ENQUEUE_VS_BARE_INSERT_2K, "ENQUEUE", "BARE", 2048);
    measure(bench, Figure.ENQUEUE_ALL_VS_RAW_BATCH, "ENQUEUE_ALL", "RAW_BATCH", 256);
    measure(bench, Figure.ENQUEUE_ALL_VS_RAW_BATCH_2K, "ENQUEUE_ALL", "RAW_BATCH", 2048);
  }

  private static void measure(Bench bench, Figure figure, String ours, String theirs, int bytes)
      throws Exception {
    if (!bench.wants(figure)) {
      return;
    }
    TestDatabase database = Bench.database(bench.servers().postgres());
    Place place =
        new Place(
            Map.of(
                "jdbc",
                database.jdbcUrl() + "?reWriteBatchedInserts=true",
                "bytes",
                Integer.toString(bytes)));
    try (WorkerProcess producer = bench.start("producer", place)) {
      String seconds = Double.toString(bench.scale().sliceSeconds() / TURNS);
      String warmUp = Double.toString(bench.scale().sliceSeconds());
      producer.ask("slice", ours, warmUp);
      producer.ask("slice", theirs, warmUp);
      FigureResult outcome = bench.of(figure);
      for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
        producer.ask("empty");
        double our = 0;
        double their = 0;
        for (int turn = 0; turn < TURNS; turn++) {
          if (turn % 2 == 0) {
            our += producer.number("slice", ours, seconds) / TURNS;
            their += producer.number("slice", theirs, seconds) / TURNS;
          } else {
            their += producer.number("slice", theirs, seconds) / TURNS;
            our += producer.number("slice", ours, seconds) / TURNS;
          }
        }
        outcome.side("twinbox_per_s", our).side("bare_per_s", their).value(our / their);
        bench.say("%s, %s: %.0f/s over %.0f/s", figure.field(), repetition, our, their);
      }
    }
  }
}
