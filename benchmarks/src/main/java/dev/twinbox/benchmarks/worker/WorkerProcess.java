package dev.twinbox.benchmarks.worker;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.testkit.JavaProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A worker, seen from the process that measures: every side of every ratio has the same JVM with
 * the same options. It ends when this process does. Not safe for use by several threads.
 */
public final class WorkerProcess implements AutoCloseable {
  private static final String MAIN = "dev.twinbox.benchmarks.WorkerMain";
  private static final List<String> OPTIONS =
      List.of("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8");
  private static final int LAST_LINES = 8;

  /** Summing up a recording takes a while. */
  private static final int ENDS_WITHIN_SECONDS = 60;

  private final String side;
  private final Path log;
  private final Process process;
  private final PrintStream orders;
  private final BufferedReader answers;

  private WorkerProcess(String side, Path log, Process process) {
    this.side = side;
    this.log = log;
    this.process = process;
    orders = new PrintStream(process.getOutputStream(), true, UTF_8);
    answers = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
  }

  /** Starts a process and waits until it is ready. */
  public static WorkerProcess start(String side, Place place, Path folder) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JavaProcess.localeOptions());
    command.addAll(OPTIONS);
    command.addAll(List.of("-cp", classPath(side), MAIN, side));
    command.addAll(place.words());
    Path log = Files.createTempFile(folder, side + "-", ".log");
    Process process = new ProcessBuilder(command).redirectError(log.toFile()).start();
    WorkerProcess worker = new WorkerProcess(side, log, process);
    worker.answer("to start");
    return worker;
  }

  /**
   * Ours, and before it what the build has put aside for this side because it needs an older
   * version.
   */
  private static String classPath(String side) {
    String ours = System.getProperty("java.class.path");
    Path here =
        Path.of(WorkerProcess.class.getProtectionDomain().getCodeSource().getLocation().getPath());
    Path before = here.resolveSibling("before").resolve(side);
    return Files.isDirectory(before) ? before.resolve("*") + ":" + ours : ours;
  }

  /**
   * Gives an order and waits for its answer.
   *
   * @throws IllegalStateException with what the worker says, when it fails
   */
  public String ask(String... words) {
    String order = String.join(" ", words);
    orders.println(order);
    return answer(order);
  }

  /** The same, for an answer that is a number. */
  public double number(String... words) {
    return Double.parseDouble(ask(words));
  }

  /** Processor time that it has used so far. */
  public Duration processorTime() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** Ends the process; kills it when it does not end by itself. */
  @Override
  public void close() {
    orders.close();
    try {
      if (!process.waitFor(ENDS_WITHIN_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private String answer(String order) {
    try {
      String line = answers.readLine();
      if (line != null && line.startsWith("ok ")) {
        return line.substring("ok ".length());
      }
      throw new IllegalStateException(
          "%s failed (%s): %s. %s"
              .formatted(side, order, line == null ? "its process ended" : line, lastWords(line)));
    } catch (IOException e) {
      throw new IllegalStateException("%s failed (%s): %s".formatted(side, order, e), e);
    }
  }

  private String lastWords(@Nullable String said) throws IOException {
    if (said != null) {
      return "";
    }
    List<String> lines = Files.readAllLines(log);
    return String.join(" | ", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
  }
}
