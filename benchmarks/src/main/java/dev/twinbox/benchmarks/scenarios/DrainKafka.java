package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A backlog to Kafka: the relay beside everybody else. */
public final class DrainKafka implements Scenario {
  private static final int KEYS = 10_000;
  private static final int SMALL = 256;
  private static final int LARGE = 2048;

  /** It has to write its backlog to the log first, and some seconds of draining are enough. */
  private static final int MOST_FOR_DEBEZIUM = 100_000;

  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final List<String> LIBRARIES =
      List.of("db-scheduler", "namastack", "gruelbox", "modulith");

  /** What each figure compares the relay with. */
  private static final Map<Figure, List<String>> RIVALS = new LinkedHashMap<>();

  private static final Map<Figure, List<String>> LARGE_RIVALS = new LinkedHashMap<>();

  static {
    RIVALS.put(Figure.DRAIN_KAFKA_VS_RAW_LOOP, List.of("raw-loop"));
    RIVALS.put(Figure.DRAIN_KAFKA_VS_SKIP_LOCKED, List.of("skip-locked-delete"));
    RIVALS.put(Figure.DRAIN_KAFKA_VS_STATUS_UPDATE, List.of("skip-locked-update"));
    RIVALS.put(Figure.DRAIN_KAFKA_VS_DEBEZIUM, List.of("debezium"));
    RIVALS.put(Figure.DRAIN_KAFKA_VS_BEST_PEER, LIBRARIES);
    LARGE_RIVALS.put(Figure.DRAIN_KAFKA_VS_RAW_LOOP_2K, List.of("raw-loop"));
    LARGE_RIVALS.put(Figure.DRAIN_KAFKA_VS_SKIP_LOCKED_2K, List.of("skip-locked-delete"));
  }

  @Override
  public Set<Figure> figures() {
    Set<Figure> figures = new LinkedHashSet<>(RIVALS.keySet());
    figures.addAll(LARGE_RIVALS.keySet());
    return figures;
  }

  @Override
  public void run(Bench bench) throws Exception {
    measure(bench, RIVALS, SMALL, bench.scale().drained());
    measure(bench, LARGE_RIVALS, LARGE, bench.scale().drained() / 3);
  }

  private static void measure(Bench bench, Map<Figure, List<String>> all, int bytes, int messages)
      throws Exception {
    Map<Figure, List<String>> rivals = new LinkedHashMap<>(all);
    rivals.keySet().removeIf(figure -> !bench.wants(figure));
    if (rivals.isEmpty()) {
      return;
    }
    TestDatabase database = Bench.database(bench.servers().postgres());
    List<Drain> sides = new ArrayList<>();
    try (Topic topic = new Topic(bench.servers().kafka())) {
      source(database, messages, bytes, topic);
      Place place = bench.place(database, topic.destination(), KEYS, bytes);
      sides.add(new Drain("relay", bench.start("relay", place), topic, messages, PATIENCE));
      Map<String, String> failures = new LinkedHashMap<>();
      for (String rival : rivals.values().stream().flatMap(List::stream).distinct().toList()) {
        if (add(sides, bench, rival, place, topic, bytes, failures)) {
          warmUp(bench, sides, failures);
        }
      }
      drainAndForget(bench, sides.get(0));
      repeat(bench, rivals, sides, failures);
    } finally {
      sides.forEach(Drain::close);
    }
  }

  private static boolean add(
      List<Drain> sides,
      Bench bench,
      String rival,
      Place place,
      Topic topic,
      int bytes,
      Map<String, String> failures) {
    boolean slow = LIBRARIES.contains(rival);
    int messages = slow ? bench.scale().peerDrained() : bench.scale().drained();
    if (bytes == LARGE) {
      messages /= 3;
    }
    if (rival.equals("debezium")) {
      messages = Math.min(messages, MOST_FOR_DEBEZIUM);
    }
    try {
      Place own = place;
      if (rival.equals("debezium")) {
        TestDatabase logical = Bench.database(bench.servers().logicalPostgres());
        source(logical, messages, bytes, topic);
        own = place.with("jdbc", logical.jdbcUrl());
      }
      Duration limit = slow ? Duration.ofSeconds(bench.scale().drainSeconds()) : PATIENCE;
      sides.add(new Drain(rival, bench.start(rival, own), topic, messages, limit));
      return true;
    } catch (Exception e) {
      failures.put(rival, String.valueOf(e.getMessage()));
      bench.say("%s cannot be run: %s", rival, String.valueOf(e.getMessage()));
      return false;
    }
  }

  private static void source(TestDatabase database, int messages, int bytes, Topic topic)
      throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      Source.create(connection, messages, KEYS, bytes, topic.destination());
    }
  }

  /** The last side: the more it does here, the less of its start-up is measured later. */
  private static void warmUp(Bench bench, List<Drain> sides, Map<String, String> failures) {
    Drain side = sides.get(sides.size() - 1);
    try {
      drainAndForget(bench, side);
      bench.say("%s is warm", side.name());
    } catch (Exception e) {
      failures.put(side.name(), String.valueOf(e.getMessage()));
      bench.say("%s cannot be run: %s", side.name(), String.valueOf(e.getMessage()));
      sides.remove(side);
      side.close();
    }
  }

  private static void drainAndForget(Bench bench, Drain side) throws Exception {
    int rounds = LIBRARIES.contains(side.name()) ? 1 : bench.scale().warmUpRounds();
    for (int round = 0; round < rounds; round++) {
      side.warmUp(bench.scale().warmUp(side.messages()));
    }
  }

  private static void repeat(
      Bench bench,
      Map<Figure, List<String>> rivals,
      List<Drain> sides,
      Map<String, String> failures)
      throws Exception {
    for (int repetition = 1; repetition <= bench.scale().repetitions(); repetition++) {
      Map<String, Double> rates = new LinkedHashMap<>();
      // Every other time the other way round, so that nobody always comes after the same one.
      List<Drain> order = new ArrayList<>(sides);
      if (repetition % 2 == 0) {
        Collections.reverse(order);
      }
      for (Drain side : order) {
        try {
          rates.put(side.name(), side.run().rate());
          bench.say(
              "drain to Kafka, %s: %s %.0f/s", repetition, side.name(), rates.get(side.name()));
        } catch (Exception e) {
          if (side.name().equals("relay")) {
            throw e;
          }
          failures.put(side.name(), String.valueOf(e.getMessage()));
          bench.say("%s failed: %s", side.name(), String.valueOf(e.getMessage()));
          sides.remove(side);
          side.close();
        }
      }
      rivals.forEach((figure, names) -> compare(bench.of(figure), names, rates));
    }
    rivals.forEach((figure, names) -> tell(bench.of(figure), names, failures));
  }

  private static void compare(FigureResult outcome, List<String> names, Map<String, Double> rates) {
    double ours = rates.getOrDefault("relay", Double.NaN);
    double best = 0;
    for (String name : names) {
      Double theirs = rates.get(name);
      if (theirs != null) {
        outcome.side(name + "_per_s", theirs);
        best = Math.max(best, theirs);
      }
    }
    if (best > 0) {
      outcome.side("relay_per_s", ours).value(ours / best);
    }
  }

  private static void tell(FigureResult outcome, List<String> names, Map<String, String> failures) {
    for (String name : names) {
      String failure = failures.get(name);
      if (failure != null) {
        outcome.note(name, failure);
        if (!outcome.isMeasured()) {
          outcome.fail(name + ": " + failure);
        }
      }
    }
  }
}
