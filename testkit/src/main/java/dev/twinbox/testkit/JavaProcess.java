package dev.twinbox.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A Java program in a process of its own, with this JVM's locale, time zone and charset, which can
 * be killed, frozen and started again. It is gone when this JVM is, even when this JVM is killed.
 * Safe for use by several threads.
 */
public final class JavaProcess implements AutoCloseable {
  private static final List<String> LOCALE_PROPERTIES =
      List.of(
          "user.language",
          "user.country",
          "user.script",
          "user.variant",
          "user.timezone",
          "file.encoding");

  private final String mainClass;
  private final List<String> command;
  private final Map<String, String> environment;
  private final List<String> droppedPrefixes;
  private final Path log;
  private @Nullable Process process;

  private JavaProcess(Builder builder) {
    mainClass = builder.mainClass;
    command = builder.command();
    environment = Map.copyOf(builder.environment);
    droppedPrefixes = List.copyOf(builder.droppedPrefixes);
    log = builder.log;
  }

  /**
   * Describes a process; {@link Builder#start} starts it.
   *
   * @param mainClass the name of a class with a {@code main} method
   * @param log where its output is appended
   */
  public static Builder of(String mainClass, Path log) {
    return new Builder(mainClass, log);
  }

  /**
   * The JVM's options that give a process this one's locale, time zone and charset; a {@code
   * JavaProcess} has them already.
   */
  public static List<String> localeOptions() {
    return LOCALE_PROPERTIES.stream()
        .filter(name -> !System.getProperty(name, "").isEmpty())
        .map(name -> "-D" + name + "=" + System.getProperty(name))
        .toList();
  }

  /** Whether it runs, frozen or not. */
  public synchronized boolean isRunning() {
    return process != null && process.isAlive();
  }

  /** How it has ended; empty while it runs. A killed process has ended with 137. */
  public synchronized OptionalInt exitCode() {
    return process == null || process.isAlive()
        ? OptionalInt.empty()
        : OptionalInt.of(process.exitValue());
  }

  /** Ends it with SIGKILL, frozen or not, and waits until it is gone. */
  public synchronized void kill() {
    end(Process::destroyForcibly);
  }

  /** Asks it with SIGTERM to end, and waits for 60 seconds at most. */
  public synchronized void stop() {
    end(Process::destroy);
  }

  /** Freezes it; its connections stay open and nothing answers. */
  public synchronized void pause() {
    Process running = process;
    if (running != null) {
      Commands.pause(running.toHandle());
    }
  }

  /** Ends {@link #pause()}. */
  public synchronized void resume() {
    Process running = process;
    if (running != null) {
      Commands.resume(running.toHandle());
    }
  }

  /** Kills it if it runs. */
  @Override
  public void close() {
    kill();
  }

  private interface Ending {
    void apply(Process process);
  }

  private void end(Ending ending) {
    Process running = process;
    if (running != null && running.isAlive()) {
      ending.apply(running);
      Commands.awaitExit(mainClass, running);
      ExitCleanup.spare(running.pid());
    }
  }

  private JavaProcess launch() {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().keySet().removeIf(n -> droppedPrefixes.stream().anyMatch(n::startsWith));
    builder.environment().putAll(environment);
    try {
      Process started = builder.start();
      ExitCleanup.killAtEnd(started.pid());
      process = started;
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(command.get(0) + " did not start", e);
    }
  }

  /** Describes a {@link JavaProcess}; not safe for use by several threads. */
  public static final class Builder {
    private final String mainClass;
    private final Path log;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final List<String> droppedPrefixes = new ArrayList<>();
    private List<String> options = List.of();
    private List<String> arguments = List.of();
    private String classPath = System.getProperty("java.class.path");

    private Builder(String mainClass, Path log) {
      this.mainClass = mainClass;
      this.log = log;
    }

    /**
     * The JVM's options. Default: none; small and quick to start are {@code -Xmx96m
     * -XX:+UseSerialGC -XX:TieredStopAtLevel=1}.
     */
    public Builder options(String... jvmOptions) {
      options = List.of(jvmOptions);
      return this;
    }

    /** The class path. Default: that of this JVM. */
    public Builder classPath(String path) {
      classPath = path;
      return this;
    }

    /** What {@code main} is given. Default: nothing. */
    public Builder arguments(String... words) {
      arguments = List.of(words);
      return this;
    }

    /** Adds environment variables to those of this JVM. */
    public Builder environment(Map<String, String> variables) {
      environment.putAll(variables);
      return this;
    }

    /** Leaves out of this JVM's environment what begins like this. Default: all is passed on. */
    public Builder dropEnvironment(String prefix) {
      droppedPrefixes.add(prefix);
      return this;
    }

    /** Starts the process, without waiting for anything. */
    public JavaProcess start() {
      return new JavaProcess(this).launch();
    }

    private List<String> command() {
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(localeOptions());
      command.addAll(options);
      command.addAll(List.of("-cp", classPath, mainClass));
      command.addAll(arguments);
      return command;
    }
  }
}
