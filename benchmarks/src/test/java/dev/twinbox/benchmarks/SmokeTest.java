package dev.twinbox.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.benchmarks.figures.Figure;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command as it is run, with a handful of messages: that it works, not what it measures. */
class SmokeTest {
  private static final List<String> SHORT =
      List.of(
          "drain_kafka_vs_raw_loop",
          "drain_kafka_vs_skip_locked",
          "enqueue_vs_bare_insert",
          "wal_bytes_vs_bare_insert",
          "inbox_batch_vs_no_inbox",
          "end_to_end_p50_ms",
          "end_to_end_p99_ms");

  @TempDir Path folder;

  private final StringWriter screen = new StringWriter();

  @Test
  void aRunMeasuresWhatItIsAskedForAndWritesEveryField() throws Exception {
    Path profiles = folder.resolve("profiles");

    JsonNode report =
        run("--smoke", "--only", String.join(",", SHORT), "--profile", profiles.toString());

    for (Figure figure : Figure.values()) {
      assertThat(report.path(figure.field()).has("median")).as(figure.field()).isTrue();
      assertThat(report.path(figure.field()).path("goal").isTextual()).as(figure.field()).isTrue();
    }
    for (String field : SHORT) {
      assertMeasured(field, report.path(field));
    }
    assertThat(report.path("held_xmin_ratio").path("median").isNull()).isTrue();
    assertThat(report.path("held_xmin_ratio").path("reason").asText()).isEqualTo("not asked for");
    assertThat(report.path("machine").path("processors").asInt()).isPositive();
    assertThat(report.path("versions").path("postgresql").asText()).isNotEmpty();
    assertThat(screen.toString()).contains("drain_kafka_vs_raw_loop", "≥ 0.85");
    assertThat(markdown()).contains("| `drain_kafka_vs_raw_loop`: ");
    assertThat(summaries(profiles, "relay"))
        .anyMatch(summary -> summary.contains("LaneLog."))
        .anyMatch(summary -> summary.contains("RelaySide.transact"));
    assertThat(summaries(profiles, "skip-locked-delete")).isNotEmpty();
  }

  /** The other libraries, RabbitMQ and what takes its time. */
  @Test
  @Tag("long")
  void everyFigureCanBeMeasured() throws Exception {
    JsonNode report = run("--smoke");

    for (Figure figure : Figure.values()) {
      if (!figure.field().endsWith("_2k")) {
        JsonNode at = report.path(figure.field());
        assertMeasured(figure.field(), at.has("10000") ? at.path("10000") : at);
        assertThat(at.path("notes").isMissingNode()).as("%s: %s", figure.field(), at).isTrue();
      }
    }
  }

  @Test
  void aFigureThatDoesNotExistIsRefusedWithThoseThatDo() {
    StringWriter errors = new StringWriter();
    int code =
        BenchMain.commandLine()
            .setErr(new PrintWriter(errors, true))
            .execute("--only", "drain_pigeons");

    assertThat(code).isEqualTo(CommandLine.ExitCode.USAGE);
    assertThat(errors.toString()).contains("drain_pigeons", "drain_kafka_vs_raw_loop");
  }

  private JsonNode run(String... arguments) throws Exception {
    List<String> words = new ArrayList<>(Arrays.asList(arguments));
    Path file = folder.resolve("report.json");
    words.addAll(List.of("--report", file.toString()));
    int code =
        BenchMain.commandLine()
            .setOut(new PrintWriter(screen, true))
            .execute(words.toArray(String[]::new));
    assertThat(code).as(screen.toString()).isZero();
    return JsonMapper.builder().build().readTree(file.toFile());
  }

  private static List<String> summaries(Path profiles, String side) throws IOException {
    try (Stream<Path> files = Files.list(profiles)) {
      return files
          .filter(file -> file.getFileName().toString().matches(side + "-\\d+\\.txt"))
          .map(SmokeTest::text)
          .toList();
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String markdown() {
    StringWriter out = new StringWriter();
    BenchMain.commandLine()
        .setOut(new PrintWriter(out, true))
        .execute("--markdown", folder.resolve("report.json").toString());
    return out.toString();
  }

  private static void assertMeasured(String field, JsonNode at) {
    assertThat(at.path("median").isNumber()).as("%s: %s", field, at).isTrue();
    assertThat(at.path("min").asDouble()).isLessThanOrEqualTo(at.path("max").asDouble());
  }
}
