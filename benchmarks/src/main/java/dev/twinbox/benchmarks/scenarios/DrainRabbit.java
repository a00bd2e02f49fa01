package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;

/** A backlog to a quorum queue: the relay beside a bare publisher, and by number of keys. */
public final class DrainRabbit implements Scenario {
  private static final int MANY_KEYS = 10_000;
  private static final Duration PATIENCE = Duration.ofMinutes(5);

  /** A transaction a message is so slow that fewer messages do. */
  private static final int SLOWER = 20;

  @Override
  public Set<Figure> figures() {
    return Set.of(
        Figure.DRAIN_RABBITMQ_VS_RAW_CONFIRMS,
        Figure.DRAIN_RABBITMQ_VS_RAW_CONFIRMS_2K,
        Figure.DRAIN_RABBITMQ_BY_KEYS,
        Figure.RABBITMQ_CONFIRMS_VS_TX);
  }

  @Override
  public void run(Bench bench) throws Exception {
    int messages = bench.scale().rabbit();
    versusRaw(bench, Figure.DRAIN_RABBITMQ_VS_RAW_CONFIRMS, messages, 256);
    versusRaw(bench, Figure.DRAIN_RABBITMQ_VS_RAW_CONFIRMS_2K, messages / 2, 2048);
    if (bench.wants(Figure.DRAIN_RABBITMQ_BY_KEYS)) {
      // One key has one message on its way at a time.
      byKeys(bench, "1", 1, messages / SLOWER);
      byKeys(bench, "100", 100, messages / 2);
      byKeys(bench, "10000", MANY_KEYS, messages);
      byKeys(bench, "keyless", 0, messages);
    }
    confirmsVersusTransactions(bench, messages);
  }

  private static void versusRaw(Bench bench, Figure figure, int messages, int bytes)
      throws Exception {
    if (!bench.wants(figure)) {
      return;
    }
    try (Queue queue = new Queue(bench.servers().rabbit())) {
      Place place = place(bench, queue, messages, MANY_KEYS, bytes);
      try (Drain relay = drain(bench, "relay", place, messages);
          Drain raw = drain(bench, "raw-confirms", place, messages)) {
        warmUp(relay, queue, messages);
        warmUp(raw, queue, messages);
        for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
          boolean first = repetition % 2 == 1;
          double ours = first ? rate(relay, queue) : 0;
          double theirs = rate(raw, queue);
          ours = first ? ours : rate(relay, queue);
          bench
              .of(figure)
              .side("relay_per_s", ours)
              .side("raw_confirms_per_s", theirs)
              .value(ours / theirs);
          bench.say("%s, %s: %.0f/s over %.0f/s", figure.field(), repetition, ours, theirs);
        }
      }
    }
  }

  private static void byKeys(Bench bench, String name, int keys, int messages) throws Exception {
    try (Queue queue = new Queue(bench.servers().rabbit())) {
      Place place = place(bench, queue, messages, keys, 256);
      try (Drain relay = drain(bench, "relay", place, messages)) {
        warmUp(relay, queue, messages);
        FigureResult outcome = bench.of(Figure.DRAIN_RABBITMQ_BY_KEYS).part(name);
        for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
          double rate = rate(relay, queue);
          outcome.value(rate);
          bench.say("drain to RabbitMQ, keys %s, %s: %.0f/s", name, repetition, rate);
        }
      }
    }
  }

  private static void confirmsVersusTransactions(Bench bench, int messages) throws Exception {
    if (!bench.wants(Figure.RABBITMQ_CONFIRMS_VS_TX)) {
      return;
    }
    try (Queue queue = new Queue(bench.servers().rabbit())) {
      Place place = place(bench, queue, messages, MANY_KEYS, 256);
      try (Drain confirms = drain(bench, "raw-confirms", place, messages);
          Drain hundreds =
              drain(bench, "raw-confirms", place.with("transaction", "100"), messages / 2);
          Drain singles =
              drain(bench, "raw-confirms", place.with("transaction", "1"), messages / SLOWER)) {
        warmUp(confirms, queue, messages);
        warmUp(hundreds, queue, messages / SLOWER);
        warmUp(singles, queue, messages / SLOWER);
        FigureResult outcome = bench.of(Figure.RABBITMQ_CONFIRMS_VS_TX);
        for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
          double asynchronous = rate(confirms, queue);
          double byHundred = rate(hundreds, queue);
          double byOne = rate(singles, queue);
          outcome
              .part("transactions_of_1")
              .side("confirms_per_s", asynchronous)
              .side("transactions_per_s", byOne)
              .value(asynchronous / byOne);
          outcome
              .part("transactions_of_100")
              .side("confirms_per_s", asynchronous)
              .side("transactions_per_s", byHundred)
              .value(asynchronous / byHundred);
          outcome.value(asynchronous / byHundred);
          bench.say(
              "RabbitMQ, %s: confirms %.0f/s, transactions of 100 %.0f/s, of one %.0f/s",
              repetition, asynchronous, byHundred, byOne);
        }
      }
    }
  }

  private static Drain drain(Bench bench, String side, Place place, int messages)
      throws IOException {
    WorkerProcess worker = bench.start(side, place);
    return new Drain(side, worker, () -> (long) worker.number("count"), messages, PATIENCE);
  }

  private static Place place(Bench bench, Queue queue, int messages, int keys, int bytes)
      throws SQLException {
    TestDatabase database = Bench.database(bench.servers().postgres());
    try (Connection connection = database.dataSource().getConnection()) {
      Source.create(connection, messages, keys, bytes, queue.destination());
    }
    return bench.place(database, queue.destination(), keys, bytes);
  }

  private static void warmUp(Drain drain, Queue queue, int messages) throws Exception {
    drain.warmUp(messages);
    queue.purge();
  }

  private static double rate(Drain drain, Queue queue) throws Exception {
    double rate = drain.run().rate();
    queue.purge();
    return rate;
  }
}
