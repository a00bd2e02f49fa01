package dev.twinbox.cli;

import static org.awaitility.Awaitility.await;

import dev.twinbox.testkit.JavaProcess;
import dev.twinbox.testkit.TestDatabase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code twinbox relay} as a process of its own; killed when closed. */
record RelayProcess(String name, Process process, Path output) implements AutoCloseable {
  static RelayProcess start(
      Path folder, String name, TestDatabase database, Duration lease, String bootstrapServers) {
    return start(folder, name, database, lease, bootstrapServers, "-Xmx256m");
  }

  static RelayProcess start(
      Path folder,
      String name,
      TestDatabase database,
      Duration lease,
      String bootstrapServers,
      String heap) {
    Path output = folder.resolve(name + ".log");
    ProcessBuilder builder =
        new ProcessBuilder(
                new ArrayList<>(
                    List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        heap,
                        "-Xlog:gc:file=" + folder.resolve(name + ".gc"),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CliProcess.class.getName(),
                        "relay",
                        "--development",
                        "--name",
                        name,
                        "--lease",
                        Long.toString(lease.toSeconds()))))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.command().addAll(1, JavaProcess.localeOptions());
    builder
        .environment()
        .putAll(
            Map.of(
                "TWINBOX_DB_URL", database.jdbcUrl(),
                "TWINBOX_DB_USER", database.user(),
                "TWINBOX_KAFKA_BOOTSTRAP_SERVERS", bootstrapServers));
    try {
      return new RelayProcess(name, builder.start(), output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  RelayProcess awaitRunning() {
    await(name + " runs").atMost(Duration.ofMinutes(2)).until(() -> said("is running"));
    return this;
  }

  /** Sends a signal such as STOP. */
  void signal(String signal) throws IOException, InterruptedException {
    int code =
        new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
    if (code != 0) {
      throw new IllegalStateException("kill ended with " + code);
    }
  }

  boolean said(String text) {
    try {
      String all = Files.readString(output);
      if (!process.isAlive() && !all.contains(text)) {
        throw new IllegalStateException(name + " has ended: " + all);
      }
      return all.contains(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
