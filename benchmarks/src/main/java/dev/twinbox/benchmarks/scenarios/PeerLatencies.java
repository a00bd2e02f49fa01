package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The 99th percentile beside other libraries: those that send after the commit in the same process,
 * and those that poll or read the log. Peers enqueue in the process that sends, which is how they
 * are meant to be used and costs them nothing.
 */
public final class PeerLatencies implements Scenario {
  private static final int KEYS = 1_000;
  private static final int WARM_UP_RATE = 500;
  private static final List<String> SUBMITTING = List.of("gruelbox", "modulith");
  private static final List<String> POLLING = List.of("namastack", "db-scheduler", "debezium");

  /** No library, so it does not decide the figure; told beside it. */
  private static final String HAND_WRITTEN = "skip-locked-delete";

  @Override
  public Set<Figure> figures() {
    return Set.of(
        Figure.P99_IN_PROCESS_VS_BEST_PEER,
        Figure.P99_IN_PROCESS_VS_BEST_PEER_200,
        Figure.P99_WORKER_VS_BEST_PEER);
  }

  @Override
  public void run(Bench bench) throws Exception {
    measure(bench, Figure.P99_IN_PROCESS_VS_BEST_PEER_200, 200, SUBMITTING, true);
    measure(bench, Figure.P99_IN_PROCESS_VS_BEST_PEER, 1_000, SUBMITTING, true);
    measure(bench, Figure.P99_WORKER_VS_BEST_PEER, 200, POLLING, false);
  }

  /** A side with its processes; the same one twice where it enqueues for itself. */
  private record Running(String name, WorkerProcess enqueuing, WorkerProcess sending) {
    void close() {
      enqueuing.close();
      sending.close();
    }
  }

  private static void measure(
      Bench bench, Figure figure, int rate, List<String> peers, boolean inProcess)
      throws Exception {
    if (!bench.wants(figure)) {
      return;
    }
    FigureResult outcome = bench.of(figure);
    List<Running> sides = new ArrayList<>();
    int seconds = bench.scale().latencySeconds();
    try (Topic topic = new Topic(bench.servers().kafka())) {
      start(bench, sides, outcome, "relay", topic, inProcess);
      for (String peer : peers) {
        start(bench, sides, outcome, peer, topic, inProcess);
      }
      if (!inProcess) {
        start(bench, sides, outcome, HAND_WRITTEN, topic, false);
      }
      for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
        Map<String, Latencies> measured = new LinkedHashMap<>();
        for (Running side : List.copyOf(sides)) {
          try {
            side.sending().ask("start");
            if (repetition == 1) {
              // Faster than it counts: a slow rate warms compilers slowly.
              Latencies.measure(
                  bench,
                  side.enqueuing(),
                  side.sending(),
                  Math.max(rate, WARM_UP_RATE),
                  bench.scale().latencyWarmUpSeconds());
            }
            // A second for whatever a start brings with it: lanes are claimed, slots opened.
            Latencies.measure(bench, side.enqueuing(), side.sending(), rate, 1);
            Latencies latencies =
                Latencies.measure(bench, side.enqueuing(), side.sending(), rate, seconds);
            side.sending().ask("stop");
            measured.put(side.name(), latencies);
            bench.say(
                "%s, %s: %s p50 %.1f ms, p99 %.1f ms",
                figure.field(), repetition, side.name(), latencies.p50(), latencies.p99());
          } catch (Exception e) {
            String why = String.valueOf(e.getMessage());
            outcome.note(side.name(), why);
            bench.say("%s failed: %s", side.name(), why);
            sides.remove(side);
            side.close();
          }
        }
        compare(outcome, measured, peers);
      }
      if (!outcome.isMeasured()) {
        outcome.fail("neither the relay nor a peer could be measured; see the notes");
      }
    } finally {
      sides.forEach(Running::close);
    }
  }

  private static void start(
      Bench bench,
      List<Running> sides,
      FigureResult outcome,
      String name,
      Topic topic,
      boolean inProcess) {
    try {
      TestPostgres server =
          name.equals("debezium") ? bench.servers().logicalPostgres() : bench.servers().postgres();
      TestDatabase database = Bench.database(server);
      try (Connection connection = database.dataSource().getConnection()) {
        Source.create(connection, 1, KEYS, 256, topic.destination());
      }
      Place place = bench.place(database, topic.destination(), KEYS, 256);
      sides.add(running(bench, name, place, inProcess));
    } catch (Exception e) {
      outcome.note(name, String.valueOf(e.getMessage()));
      bench.say("%s cannot be run: %s", name, String.valueOf(e.getMessage()));
    }
  }

  private static Running running(Bench bench, String name, Place place, boolean inProcess)
      throws IOException {
    if (name.equals("relay") && !inProcess) {
      return new Running(name, bench.start(name, place), bench.start(name, place));
    }
    WorkerProcess both = bench.start(name, place.with("wakes", Boolean.toString(inProcess)));
    return new Running(name, both, both);
  }

  private static void compare(
      FigureResult outcome, Map<String, Latencies> measured, List<String> peers) {
    measured.forEach(
        (name, latencies) ->
            outcome
                .side(name + "_p50_ms", latencies.p50())
                .side(name + "_p99_ms", latencies.p99()));
    Latencies ours = measured.get("relay");
    peers.stream()
        .map(measured::get)
        .filter(Objects::nonNull)
        .mapToDouble(Latencies::p99)
        .min()
        .ifPresent(
            best -> {
              if (ours != null) {
                outcome.value(best / ours.p99());
              }
            });
  }
}
