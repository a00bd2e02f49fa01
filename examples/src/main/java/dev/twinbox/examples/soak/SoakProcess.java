package dev.twinbox.examples.soak;

import dev.twinbox.testkit.JavaProcess;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One of the processes, started again when it has ended. Thread-safe. */
final class SoakProcess {
  private final String name;
  private final Role role;
  private final Function<String, JavaProcess> starter;
  private @Nullable JavaProcess process;
  private int generation;
  private boolean keptDown = true;

  /**
   * @param starter starts a process that is called by the given name
   */
  SoakProcess(String name, Role role, Function<String, JavaProcess> starter) {
    this.name = name;
    this.role = role;
    this.starter = starter;
  }

  String name() {
    return name;
  }

  Role role() {
    return role;
  }

  /** The name of the process that is there now. */
  synchronized String processName() {
    return name + "." + generation;
  }

  /** Starts a process where one should be and none is. */
  synchronized void fill() {
    if (!keptDown && (process == null || !process.isRunning())) {
      generation++;
      process = starter.apply(processName());
    }
  }

  synchronized void start() {
    keptDown = false;
    fill();
  }

  /** Kills the process and starts no other until {@link #start}. */
  synchronized void kill() {
    keptDown = true;
    if (process != null) {
      process.kill();
    }
  }

  /** Asks the process to end, and starts no other; empty when there is none. */
  synchronized OptionalInt stop() {
    keptDown = true;
    if (process == null || !process.isRunning()) {
      return OptionalInt.empty();
    }
    process.stop();
    return process.exitCode();
  }

  synchronized void pause() {
    if (process != null) {
      process.pause();
    }
  }

  synchronized void resume() {
    if (process != null) {
      process.resume();
    }
  }
}
