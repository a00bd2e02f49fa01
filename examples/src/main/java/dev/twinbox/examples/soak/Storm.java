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
 * Goes through a schedule. A fault waits until it would hit unconfirmed work, until its target is
 * well, and until at most one other fault is at work; if that takes too long it has another chance
 * after the others. Whatever was done is undone in the end.
 */
final class Storm implements AutoCloseable {
  private static final int AT_A_TIME = 2;
  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final Duration MORE_PATIENCE = Duration.ofSeconds(30);

  /** Between two faults there is time to get something done. */
  private static final Duration BREATH = Duration.ofMillis(400);

  private static final int LOOK_EVERY_MILLIS = 10;

  private final Faults faults;
  private final Crew crew;
  private final WorkWatch watch;
  private final Consumer<Strike> told;
  private final Set<String> struck = new HashSet<>();
  private final List<CompletableFuture<Void>> healing = new ArrayList<>();
  private final List<Strike> strikes = new ArrayList<>();
  private final ExecutorService healers =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(work, "healer");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param told of each strike and each miss, on the thread that runs the storm
   */
  Storm(Faults faults, Crew crew, WorkWatch watch, Consumer<Strike> told) {
    this.faults = faults;
    this.crew = crew;
    this.watch = watch;
    this.told = told;
  }

  /** Strikes until the schedule is through and everything is healed. */
  void run(Schedule schedule) throws InterruptedException {
    long start = System.nanoTime();
    Deque<Step> missed = new ArrayDeque<>();
    for (Step step : schedule.steps()) {
      long left = step.after().toNanos() - (System.nanoTime() - start);
      TimeUnit.NANOSECONDS.sleep(Math.max(0, left));
      if (!strike(step, PATIENCE)) {
        missed.add(step);
      }
    }
    for (Step step : missed) {
      if (!strike(step, MORE_PATIENCE)) {
        add(new Strike(step, "nobody", Instant.now(), false));
      }
    }
    heal();
  }

  /** What was struck and missed so far. */
  List<Strike> strikes() {
    synchronized (strikes) {
      return List.copyOf(strikes);
    }
  }

  private boolean strike(Step step, Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (System.nanoTime() - end < 0) {
      Optional<Fault> fault = find(step);
      if (fault.isPresent()) {
        strike(step, fault.get());
        TimeUnit.MILLISECONDS.sleep(BREATH.toMillis());
        return true;
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
    }
    return false;
  }

  private Optional<Fault> find(Step step) {
    synchronized (struck) {
      if (struck.size() >= AT_A_TIME) {
        return Optional.empty();
      }
    }
    for (Fault fault : faults.ready(step.kind(), step.pick(), watch.working(crew))) {
      synchronized (struck) {
        if (struck.add(fault.target())) {
          return Optional.of(fault);
        }
      }
    }
    return Optional.empty();
  }

  private void strike(Step step, Fault fault) {
    Strike strike = new Strike(step, fault.place(), Instant.now(), true);
    fault.strike().act();
    add(strike);
    healing.add(CompletableFuture.runAsync(() -> heal(step, fault, strike), healers));
  }

  private void add(Strike strike) {
    synchronized (strikes) {
      strikes.add(strike);
    }
    told.accept(strike);
  }

  private void heal(Step step, Fault fault, Strike strike) {
    try {
      TimeUnit.MILLISECONDS.sleep(step.hold().toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    fault.heal().act();
    strike.healed(Instant.now());
    synchronized (struck) {
      struck.remove(fault.target());
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
