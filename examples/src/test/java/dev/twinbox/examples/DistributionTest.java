package dev.twinbox.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What operators unpack: the .tar.gz of the command line, in an empty folder. */
class DistributionTest {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final String TOPIC = "distribution";

  @TempDir Path folder;

  private final TestDatabase database = TestPostgres.shared().createDatabase();
  private final TestKafka kafka = TestKafka.shared();
  private final List<Process> processes = new ArrayList<>();

  @BeforeEach
  void unpack() throws Exception {
    Path built = Path.of("../cli/target").toAbsolutePath().normalize();
    List<Path> archives;
    try (Stream<Path> files = Files.list(built)) {
      archives = files.filter(file -> file.toString().endsWith(".tar.gz")).toList();
    }
    assertThat(archives).as("built by mvn package in %s", built).hasSize(1);
    Process tar =
        new ProcessBuilder(
                "tar",
                "-xzf",
                archives.get(0).toString(),
                "--strip-components=1",
                "-C",
                "" + folder)
            .inheritIO()
            .start();
    assertThat(tar.waitFor()).isZero();
  }

  @AfterEach
  void kill() {
    processes.forEach(Process::destroyForcibly);
  }

  @Test
  void itMigratesAndRelays() throws Exception {
    kafka.createTopic(TOPIC, 1);
    assertThat(said("--help")).contains("relay", "migrate").doesNotContain("soak");
    assertThat(said("migrate")).contains("twinbox");
    Process relay = run("relay", "--development");

    Outbox outbox = Outbox.builder().source("/distribution").build();
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      outbox.enqueue(connection, Message.to("kafka:" + TOPIC).type("test").text("hello"));
      connection.commit();
    }

    await().atMost(LONG).until(() -> kafka.records(TOPIC).size() == 1);
    relay.destroy();
    assertThat(relay.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
  }

  private Process run(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(folder.resolve("bin/twinbox").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output(arguments[0]).toFile());
    builder
        .environment()
        .putAll(
            Map.of(
                "JAVA_HOME", System.getProperty("java.home"),
                "TWINBOX_DB_URL", database.jdbcUrl(),
                "TWINBOX_DB_USER", database.user(),
                "TWINBOX_KAFKA_BOOTSTRAP_SERVERS", kafka.bootstrapServers()));
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private String said(String command) throws Exception {
    Process process = run(command);
    assertThat(process.waitFor(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
    String output = Files.readString(output(command));
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }

  private Path output(String command) {
    return folder.resolve(command + ".log");
  }
}
