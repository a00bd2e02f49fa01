package dev.twinbox.examples.soak;

import dev.twinbox.examples.soak.Faults.Fault;
import dev.twinbox.examples.soak.Schedule.Step;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Injects the faults of a schedule. A fault waits until it would hit unconfirmed work, until its
 * target is healed, and until at most one other fault is active; if that takes too long it is tried
 * again after the others. Every fault is healed in the end.
 */
final class FaultInjector implements AutoCloseable {
  private static final int AT_A_TIME = 2;
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration MORE_PATIENCE = Duration.ofSeconds(30);

  /** Between two faults there is time to get something done. */
  private static final Duration BREATH = Duration.ofMillis(400);

  private static final int LOOK_EVERY_MILLIS = 10;

  private final Faults faults;
  private final SoakProcesses processes;
  private final WorkWatch watch;
  private final Consumer<InjectedFault> told;
  private final Set<String> targets = new HashSet<>();
  private final List<CompletableFuture<Void>> healing = new ArrayList<>();
  private final List<InjectedFault> injected = new ArrayList<>();
  private final ExecutorService healers =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(work, "healer");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param told of each fault that hit or missed, on the thread that calls {@link #run}
   */
  FaultInjector(
      Faults faults, SoakProcesses processes, WorkWatch watch, Consumer<InjectedFault> told) {
    this.faults = faults;
    this.processes = processes;
    this.watch = watch;
    this.told = told;
  }

  /** Injects all faults of the schedule; returns when everything is healed. */
  void run(Schedule schedule) throws InterruptedException {
    long start = System.nanoTime();
    Deque<Step> missed = new ArrayDeque<>();
    for (Step step : schedule.steps()) {
      long left = step.after().toNanos() - (System.nanoTime() - start);
      TimeUnit.NANOSECONDS.sleep(Math.max(0, left));
      if (!inject(step, PATIENCE)) {
        missed.add(step);
      }
    }
    for (Step step : missed) {
      if (!inject(step, MORE_PATIENCE)) {
        add(new InjectedFault(step, "nobody", Instant.now(), false));
      }
    }
    heal();
  }

  /** The faults that hit or missed so far. */
  List<InjectedFault> injected() {
    synchronized (injected) {
      return List.copyOf(injected);
    }
  }

  private boolean inject(Step step, Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (System.nanoTime() - end < 0) {
      Optional<Fault> fault = find(step);
      if (fault.isPresent()) {
        inject(step, fault.get());
        TimeUnit.MILLISECONDS.sleep(BREATH.toMillis());
        return true;
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
    }
    return false;
  }

  private Optional<Fault> find(Step step) {
    synchronized (targets) {
      if (targets.size() >= AT_A_TIME) {
        return Optional.empty();
      }
    }
    for (Fault fault : faults.ready(step.kind(), step.pick(), watch.working(processes))) {
      synchronized (targets) {
        if (targets.add(fault.target())) {
          return Optional.of(fault);
        }
      }
    }
    return Optional.empty();
  }

  private void inject(Step step, Fault fault) {
    InjectedFault done = new InjectedFault(step, fault.place(), Instant.now(), true);
    fault.begin().act();
    add(done);
    healing.add(CompletableFuture.runAsync(() -> heal(step, fault, done), healers));
  }

  private void add(InjectedFault done) {
    synchronized (injected) {
      injected.add(done);
    }
    told.accept(done);
  }

  private void heal(Step step, Fault fault, InjectedFault done) {
    try {
      TimeUnit.MILLISECONDS.sleep(step.hold().toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    fault.heal().act();
    done.healed(Instant.now());
    synchronized (targets) {
      targets.remove(fault.target());
    }
  }

  private void heal() {
    CompletableFuture.allOf(healing.toArray(CompletableFuture[]::new)).join();
  }

  @Override
  public void close() {
    healers.shutdownNow();
    watch.close();
  }
}
