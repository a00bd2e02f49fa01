package dev.twinbox.benchmarks.scenarios;

import dev.twinbox.benchmarks.worker.WorkerProcess;
import java.time.Duration;

/** One side's process, which drains backlogs of its own again and again. */
final class Drain implements AutoCloseable {
  private final String name;
  private final WorkerProcess worker;
  private final ConfirmedCount progress;
  private final int messages;
  private final Duration limit;

  /**
   * @param name of the side
   * @param worker its process
   * @param progress what its broker has confirmed
   * @param messages how many a backlog has
   * @param limit after how long it is stopped, counted from its first confirm
   */
  Drain(String name, WorkerProcess worker, ConfirmedCount progress, int messages, Duration limit) {
    this.name = name;
    this.worker = worker;
    this.progress = progress;
    this.messages = messages;
    this.limit = limit;
  }

  String name() {
    return name;
  }

  /** How many a backlog has. */
  int messages() {
    return messages;
  }

  /** So that the compilers have done their work before anything is timed. */
  void warmUp(int backlog) throws Exception {
    run(backlog);
  }

  Timeline run() throws Exception {
    return run(messages);
  }

  private Timeline run(int backlog) throws Exception {
    worker.ask("fill", Integer.toString(backlog));
    long before = progress.count();
    worker.ask("start");
    try {
      return Timeline.watch(progress, before, backlog, limit);
    } finally {
      worker.ask("stop");
    }
  }

  @Override
  public void close() {
    worker.close();
  }
}
