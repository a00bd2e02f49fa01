package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.util.Map;
import java.util.Set;

/** What it costs a producer to enqueue, in WAL: counted record by record, without page images. */
public final class WalBytes implements Scenario {
  private static final int MOST = 5_000;

  @Override
  public Set<Figure> figures() {
    return Set.of(Figure.WAL_BYTES_VS_BARE_INSERT);
  }

  @Override
  public void run(Bench bench) throws Exception {
    TestDatabase database = Bench.database(bench.servers().postgres());
    Rows.execute(database, "create extension pg_walinspect");
    Place place = new Place(Map.of("jdbc", database.jdbcUrl(), "bytes", "256"));
    int transactions = Math.min(MOST, bench.scale().consumed());
    try (WorkerProcess producer = bench.start("producer", place)) {
      // Autovacuum would write in between.
      Rows.execute(database, "alter table bench.bare set (autovacuum_enabled = false)");
      producer.ask("rows", "ENQUEUE_ALONE", "1000");
      producer.ask("rows", "BARE_ALONE", "1000");
      FigureResult outcome = bench.of(Figure.WAL_BYTES_VS_BARE_INSERT);
      for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
        double ours = bytes(database, producer, "ENQUEUE_ALONE", transactions);
        double theirs = bytes(database, producer, "BARE_ALONE", transactions);
        outcome.side("enqueue_bytes", ours).side("bare_insert_bytes", theirs).value(ours / theirs);
        bench.say("WAL, %s: %.0f B over %.0f B a message", repetition, ours, theirs);
      }
    }
  }

  private static double bytes(
      TestDatabase database, WorkerProcess producer, String side, int transactions)
      throws Exception {
    String from = Rows.text(database, "select pg_current_wal_insert_lsn()");
    producer.ask("rows", side, Integer.toString(transactions));
    String to = Rows.text(database, "select pg_current_wal_flush_lsn()");
    return Rows.number(
            database,
            "select sum(record_size) from pg_get_wal_stats('%s', '%s')".formatted(from, to))
        / transactions;
  }
}
