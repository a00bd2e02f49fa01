package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.figures.Figure;
import dev.twinbox.benchmarks.figures.FigureResult;
import dev.twinbox.benchmarks.figures.Report;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.WorkerProcess;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A run: what is wanted, how large, on which servers, and where results go.
 *
 * @param scale how large
 * @param wanted the figures to measure
 * @param servers started when first asked for
 * @param report filled by the scenarios
 * @param folder for files of this run; removed by its owner
 * @param out for progress
 * @param profile where every process that is measured leaves what it spent its time on, or null
 * @param begin when the run began, by the monotonic clock
 */
public record Bench(
    Scale scale,
    Set<Figure> wanted,
    Servers servers,
    Report report,
    Path folder,
    PrintWriter out,
    @Nullable Path profile,
    long begin) {

  boolean wants(Figure... figures) {
    return Set.of(figures).stream().anyMatch(wanted::contains);
  }

  FigureResult of(Figure figure) {
    return report.of(figure);
  }

  /** Says on the screen how far it is. */
  void say(String format, Object... values) {
    long seconds = (System.nanoTime() - begin) / 1_000_000_000L;
    out.printf(Locale.ROOT, "%5s s  %s%n", seconds, String.format(Locale.ROOT, format, values));
    out.flush();
  }

  /** A new database with Twinbox's tables. */
  static TestDatabase database(TestPostgres server) {
    TestDatabase database = server.createDatabase();
    Migrations.apply(database.dataSource());
    return database;
  }

  /** What a worker has to know of a database and of its messages. */
  Place place(TestDatabase database, String destination, int keys, int bytes) {
    Map<String, String> values = new LinkedHashMap<>();
    values.put("jdbc", database.jdbcUrl());
    values.put("destination", destination);
    values.put("keys", Integer.toString(keys));
    values.put("bytes", Integer.toString(bytes));
    if (profile != null) {
      values.put("profile", profile.toString());
    }
    if (destination.startsWith("kafka:")) {
      values.put("kafka", servers.kafka().bootstrapServers());
    } else {
      values.put("rabbitmq", servers.rabbit().uri().toString());
    }
    return new Place(values);
  }

  WorkerProcess start(String side, Place place) throws IOException {
    return WorkerProcess.start(side, place, folder);
  }
}
