package dev.twinbox.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** Short commands, signals and waiting, as every server here needs them. */
final class Commands {
  private Commands() {}

  record Result(int exitCode, String output) {
    Result orFail(String what) {
      if (exitCode != 0) {
        throw new IllegalStateException(what + " failed with code " + exitCode + ": " + output);
      }
      return this;
    }
  }

  static Result run(String... command) {
    return run(List.of(command), Map.of());
  }

  static Result run(List<String> command, Map<String, String> environment) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
      builder.environment().putAll(environment);
      Process process = builder.start();
      process.getOutputStream().close();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), output);
    } catch (IOException e) {
      return new Result(127, e.toString());
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  static List<String> join(List<String> first, String... rest) {
    return Stream.concat(first.stream(), Stream.of(rest)).toList();
  }

  static boolean isRoot() {
    return run("id", "-u").output().strip().equals("0");
  }

  /** Sends a signal such as {@code STOP}; a process that is already gone is no error. */
  static void signal(String name, long... pids) {
    for (long pid : pids) {
      run("kill", "-" + name, Long.toString(pid));
    }
  }

  /** Freezes a process and then its children, so that none of them can start another one. */
  static void pause(ProcessHandle process) {
    signal("STOP", process.pid());
    process.descendants().forEach(child -> signal("STOP", child.pid()));
  }

  static void resume(ProcessHandle process) {
    process.descendants().forEach(child -> signal("CONT", child.pid()));
    signal("CONT", process.pid());
  }

  static void await(String what, Duration limit, BooleanSupplier condition) {
    long end = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException(what + " took longer than " + limit.toSeconds() + " s");
      }
      try {
        TimeUnit.MILLISECONDS.sleep(20);
      } catch (InterruptedException e) {
        throw interrupted(e);
      }
    }
  }

  static void awaitExit(String what, Process process) {
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException(what + " did not end within 60 s");
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  /** The end of a log file, for an error message. */
  static String tail(Path log) {
    try {
      String text = Files.exists(log) ? Files.readString(log, StandardCharsets.UTF_8) : "";
      return text.substring(Math.max(0, text.length() - 4000));
    } catch (IOException e) {
      return "(unreadable log: " + e + ")";
    }
  }

  /** Copies a log file, if there is one. */
  static void copy(Path log, Path to) {
    try {
      if (Files.exists(log)) {
        Files.copy(log, to, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("The log " + log + " could not be copied", e);
    }
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("Interrupted", e);
  }
}
