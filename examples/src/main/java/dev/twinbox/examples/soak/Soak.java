package dev.twinbox.examples.soak;

import dev.twinbox.cli.CommandException;
import dev.twinbox.examples.common.Progress;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jooq.exception.DataAccessException;

/** A whole soak: servers, processes, injected faults, and the count when they are over. */
final class Soak implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(10);

  /** Without any progress for so long, what is still under way has got stuck. */
  private static final Duration STUCK = Duration.ofSeconds(60);

  private static final int LOOK_EVERY_MILLIS = 200;

  private final SoakOptions options;
  private final PrintWriter out;
  private final SoakDatabase database;
  private final SoakBroker broker;
  private final Path logs;
  private final SoakProcesses processes;
  private final FaultInjector injector;
  private final SoakProgress soakProgress;
  private final Progress progress;
  private volatile boolean calm;

  private Soak(SoakOptions options, SoakDatabase database, SoakBroker broker, PrintWriter out) {
    this.options = options;
    this.database = database;
    this.broker = broker;
    this.out = out;
    logs = temporaryFolder();
    processes = new SoakProcesses(database, broker, logs, options);
    soakProgress = new SoakProgress(database.reading(), broker);
    progress = new Progress(out);
    injector =
        new FaultInjector(
            new Faults(database, broker, processes),
            processes,
            new WorkWatch(database.dataSource()),
            fault -> progress.say("      " + fault));
  }

  /** Starts the servers, both at once, and no process yet. */
  static Soak start(SoakOptions options, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "Starting PostgreSQL, %s and the processes in temporary folders…%n",
        options.broker().title());
    out.flush();
    List<String> behindProxies = SoakProcesses.behindProxies();
    CompletableFuture<SoakDatabase> database =
        CompletableFuture.supplyAsync(() -> SoakDatabase.start(behindProxies));
    SoakBroker broker;
    try {
      broker = options.broker().start(behindProxies, options);
    } catch (RuntimeException e) {
      database.thenAccept(SoakDatabase::close).join();
      throw e;
    }
    try {
      return new Soak(options, database.join(), broker, out);
    } catch (CompletionException e) {
      broker.close();
      throw new CommandException("PostgreSQL did not start: " + e.getMessage(), e);
    }
  }

  /** Injects the scheduled faults, waits until everything is processed, and counts. */
  SoakResult run() throws InterruptedException {
    Schedule schedule = options.schedule();
    processes.start(Role.RELAY);
    processes.start(Role.CONSUMER);
    await("the relays to take the lanes", () -> soakProgress.ownedLanes() == soakProgress.lanes());
    processes.start(Role.PRODUCER);
    await("the first effects", () -> soakProgress.effects() > 0);
    progress.say(
        String.format(
            Locale.ROOT,
            "Seed %s: %s faults within %s s, and about %,d messages.",
            options.seed(),
            schedule.steps().size(),
            options.duration().toSeconds(),
            options.messages()));
    double begun = progress.seconds();
    CompletableFuture<Void> watching = CompletableFuture.runAsync(this::watch);
    injector.run(schedule);
    List<String> leftovers = new ArrayList<>();
    awaitProgress(() -> soakProgress.committed() >= options.messages());
    processes.kill(Role.PRODUCER);
    awaitProgress(soakProgress::isDrained);
    double seconds = progress.seconds() - begun;
    calm = true;
    watching.join();
    leftovers.addAll(processes.stop(Role.RELAY));
    leftovers.addAll(processes.stop(Role.CONSUMER));
    leftovers.addAll(soakProgress.leftovers());
    progress.say(String.format(Locale.ROOT, "Calm after %.1f s; now counting.", seconds));
    return new SoakTally(database.reading(), broker, options)
        .count(injector.injected(), leftovers, seconds);
  }

  /** Saves what may explain why a run failed. */
  void save(Path folder, String findings) {
    new Evidence(folder).save(database, broker, logs, injector.injected(), findings);
  }

  private void watch() {
    while (!calm) {
      try {
        long hit = injector.injected().stream().filter(InjectedFault::hit).count();
        progress.show(
            String.format(
                Locale.ROOT,
                "committed %,d   applied %,d   faults %s",
                soakProgress.committed(),
                soakProgress.effects(),
                hit));
      } catch (DataAccessException e) {
        progress.show("the database does not answer");
      }
      sleep();
    }
  }

  private interface Condition {
    boolean holds();
  }

  private static void await(String what, Condition condition) throws InterruptedException {
    long end = System.nanoTime() + START_LIMIT.toNanos();
    while (!condition.holds()) {
      if (System.nanoTime() - end > 0) {
        throw new CommandException(
            "The soak did not get going: it waited %s s for %s."
                .formatted(START_LIMIT.toSeconds(), what));
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
    }
  }

  /** Waits for a condition as long as there is progress; what is missing then is counted. */
  private void awaitProgress(Condition condition) throws InterruptedException {
    List<Long> last = List.of();
    long movedAt = System.nanoTime();
    while (!holds(condition) && System.nanoTime() - movedAt < STUCK.toNanos()) {
      List<Long> now = howFar();
      if (!now.equals(last)) {
        last = now;
        movedAt = System.nanoTime();
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
    }
  }

  private static boolean holds(Condition condition) {
    try {
      return condition.holds();
    } catch (RuntimeException e) {
      return false; // the servers have just been healed and may not answer yet
    }
  }

  private List<Long> howFar() {
    try {
      return List.of(soakProgress.committed(), soakProgress.effects(), broker.unacknowledged());
    } catch (RuntimeException e) {
      return List.of();
    }
  }

  private static void sleep() {
    try {
      TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Path temporaryFolder() {
    try {
      Path folder = Files.createTempDirectory("twinbox-soak-");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      all.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException | UncheckedIOException e) {
      // Temporary files are left behind.
    }
  }

  @Override
  public void close() {
    calm = true;
    injector.close();
    processes.close();
    broker.close();
    database.close();
    delete(logs);
  }
}
