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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DemoTest {
  @TempDir Path folder;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Tag("essential")
  @ParameterizedTest
  @CsvSource({"kafka, postgresql", "rabbitmq, postgresql", "kafka, redis"})
  void theTallyBalances(String broker, String inbox) throws IOException {
    Path file = folder.resolve("report.json");
    int exitCode =
        run(
            "demo",
            "--messages",
            "2000",
            "--broker",
            broker,
            "--inbox",
            inbox,
            "--report",
            file.toString());
    assertThat(exitCode).as("%s%s", out, err).isZero();
    assertThat(out.toString()).contains("Balanced: each of the 1,900 committed orders");

    JsonNode report = JsonMapper.builder().build().readTree(file.toFile());
    List<String> names = new ArrayList<>();
    report.fieldNames().forEachRemaining(names::add);
    assertThat(names)
        .containsExactly(
            "committed",
            "rolledBack",
            "published",
            "delivered",
            "duplicatesRejected",
            "effects",
            "lost",
            "extra",
            "outOfOrder",
            "seconds",
            "balanced");
    assertThat(report.get("committed").asInt()).isEqualTo(1_900);
    assertThat(report.get("rolledBack").asInt()).isEqualTo(100);
    assertThat(report.get("published").asInt()).isEqualTo(1_900);
    assertThat(report.get("effects").asInt()).isEqualTo(1_900);
    assertThat(report.get("duplicatesRejected").asInt()).isPositive();
    assertThat(report.get("delivered").asInt())
        .isEqualTo(1_900 + report.get("duplicatesRejected").asInt());
    assertThat(report.get("lost").asInt()).isZero();
    assertThat(report.get("extra").asInt()).isZero();
    assertThat(report.get("outOfOrder").asInt()).isZero();
    assertThat(report.get("seconds").asDouble()).isPositive();
    assertThat(report.get("balanced").asBoolean()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-1", "10000001", "many"})
  void aNumberOfMessagesThatMakesNoSenseIsRefused(String messages) {
    assertThat(run("demo", "--messages", messages)).isEqualTo(2);
    assertThat(err.toString()).contains("--messages");
  }

  @Test
  void aReportThatCannotBeWrittenIsRefusedBeforeAnythingStarts() {
    String file = folder.resolve("missing").resolve("report.json").toString();
    assertThat(run("demo", "--report", file)).isEqualTo(1);
    assertThat(err.toString()).contains("--report", file).hasLineCount(1);
    assertThat(out.toString()).isEmpty();
  }

  private int run(String... arguments) {
    return TwinboxCli.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(arguments);
  }
}
