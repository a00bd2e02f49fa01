package dev.twinbox.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.cli.TwinboxCli;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SoakTest {
  private static final List<String> FIGURES =
      List.of(
          "seed",
          "broker",
          "nodes",
          "duration",
          "seconds",
          "committed",
          "published",
          "repeats",
          "effects",
          "lost",
          "ghosts",
          "duplicateEffects",
          "outOfOrder",
          "unexplained",
          "faultsHit",
          "faults",
          "balanced");

  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @ParameterizedTest
  @ValueSource(strings = {"kafka", "rabbitmq", "rocketmq"})
  void nothingIsLostExtraDoubledOrTurnedRoundInAShortStorm(String broker) throws IOException {
    JsonNode report =
        soak(
            "--broker",
            broker,
            "--seed",
            "11",
            "--duration",
            "15s",
            "--messages",
            "1500",
            "--faults",
            "kill-relay,kill-consumer,kill-producer,pause-relay,crash-postgres,"
                + "cut-relay-postgres,cut-relay-broker,cut-consumer-broker,freeze-relay-broker");

    assertThat(report.get("committed").asInt()).isGreaterThanOrEqualTo(1_500);
    assertThat(report.get("faultsHit").asInt()).isGreaterThanOrEqualTo(6);
    assertThat(report.get("faults").fieldNames()).toIterable().hasSize(9);
  }

  @Tag("long")
  @ParameterizedTest
  @CsvSource({"kafka, 1, 34", "rabbitmq, 1, 36", "rabbitmq, 3, 36", "rocketmq, 1, 34"})
  void aMinuteOfFaultsOfEveryKindLeavesNoTrace(String broker, String nodes, int faults)
      throws IOException {
    JsonNode report =
        soak("--broker", broker, "--seed", "7", "--duration", "60s", "--rabbitmq-nodes", nodes);

    assertThat(report.get("faultsHit").asInt()).isGreaterThanOrEqualTo(20);
    assertThat(report.get("faults"))
        .as("two of each kind")
        .allSatisfy(hits -> assertThat(hits.get("hit").asInt()).isGreaterThanOrEqualTo(2));
    assertThat(report.get("faults"))
        .extracting(hits -> hits.get("planned").asInt())
        .satisfies(
            planned ->
                assertThat(planned.stream().mapToInt(Integer::intValue).sum()).isEqualTo(faults));
  }

  @ParameterizedTest
  @CsvSource({
    "--duration, 4s, 5s to 24h",
    "--duration, soon, 60s",
    "--messages, 0, 10000000",
    "--faults, raise-alarm, kill-relay",
    "--rabbitmq-nodes, 3, --broker rabbitmq",
    "--rabbitmq-nodes, 2, 1 or 3",
    "--broker, other, --broker"
  })
  void anOptionThatMakesNoSenseIsRefusedWithARemedy(String option, String value, String remedy) {
    assertThat(run("soak", option, value)).isEqualTo(2);
    assertThat(err.toString()).contains(option, remedy);
    assertThat(out.toString()).isEmpty();
  }

  private JsonNode soak(String... options) throws IOException {
    Path file = folder.resolve("report.json");
    List<String> arguments = new ArrayList<>(List.of("soak", "--report", file.toString()));
    arguments.addAll(List.of(options));
    int exitCode = run(arguments.toArray(String[]::new));
    assertThat(exitCode).as("%s%s", out, err).isZero();
    assertThat(out.toString()).contains("Balanced");

    JsonNode report = JsonMapper.builder().build().readTree(file.toFile());
    assertThat(report.fieldNames()).toIterable().containsExactlyElementsOf(FIGURES);
    for (String zero : List.of("lost", "ghosts", "duplicateEffects", "outOfOrder", "unexplained")) {
      assertThat(report.get(zero).asInt()).as(zero).isZero();
    }
    assertThat(report.get("effects")).isEqualTo(report.get("committed"));
    assertThat(report.get("published")).isEqualTo(report.get("committed"));
    assertThat(report.get("balanced").asBoolean()).isTrue();
    return report;
  }

  private int run(String... arguments) {
    return TwinboxCli.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(arguments);
  }
}
