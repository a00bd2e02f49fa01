package dev.twinbox.examples.soak;

import dev.twinbox.testkit.JavaProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The processes: two producers, two relays, two consumers. One that has ended is started again, as
 * an operator's supervisor would; a relay ends by itself when it finds no database at its start.
 */
final class SoakProcesses implements AutoCloseable {
  private static final int OF_EACH = 2;
  private static final int LOOK_EVERY_MILLIS = 500;
  private static final String LEASE_SECONDS = "3";

  private final SoakDatabase database;
  private final SoakBroker broker;
  private final SoakBrokerChoice choice;
  private final Path logs;
  private final Map<String, String> pace;
  private final List<SoakProcess> all = new ArrayList<>();
  private final ScheduledExecutorService supervisor =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "supervisor");
            thread.setDaemon(true);
            return thread;
          });
  private long startMillis;

  /**
   * @param logs the folder for their output
   * @param pace what producers are told of how much to write
   */
  SoakProcesses(SoakDatabase database, SoakBroker broker, Path logs, SoakOptions options) {
    this.database = database;
    this.broker = broker;
    choice = options.broker();
    this.logs = logs;
    pace =
        Map.of(
            "SEED", Long.toString(options.seed()),
            "MESSAGES", Long.toString(options.messages()),
            "DURATION", Long.toString(options.duration().toMillis()),
            "PRODUCERS", Integer.toString(OF_EACH),
            "DESTINATION", broker.destination());
    for (Role role : Role.values()) {
      for (String name : names(role)) {
        all.add(new SoakProcess(name, role, process -> start(role, name, process)));
      }
    }
    var unused =
        supervisor.scheduleWithFixedDelay(
            () -> all.forEach(SoakProcess::fill),
            LOOK_EVERY_MILLIS,
            LOOK_EVERY_MILLIS,
            TimeUnit.MILLISECONDS);
  }

  /**
   * SIGTERM's own exit code: the process was asked before it had begun its work. Later it ends by
   * itself, with 0 or an error.
   */
  private static final int NOT_BEGUN = 143;

  /** The processes that reach database and broker by way of proxies. */
  static List<String> behindProxies() {
    List<String> names = new ArrayList<>(names(Role.RELAY));
    names.addAll(names(Role.CONSUMER));
    return names;
  }

  static List<String> names(Role role) {
    List<String> names = new ArrayList<>();
    for (int i = 1; i <= OF_EACH; i++) {
      names.add(role + "-" + i);
    }
    return names;
  }

  List<SoakProcess> of(Role role) {
    return all.stream().filter(process -> process.role() == role).toList();
  }

  void start(Role role) {
    of(role).forEach(SoakProcess::start);
  }

  /**
   * Asks all of a role to end in good order.
   *
   * @return@return a sentence for each that did not
   */
  List<String> stop(Role role) {
    List<String> complaints = new ArrayList<>();
    for (SoakProcess process : of(role)) {
      OptionalInt code = process.stop();
      if (code.isPresent() && code.getAsInt() != 0 && code.getAsInt() != NOT_BEGUN) {
        complaints.add(
            "%s ended with exit code %s when it was asked to stop"
                .formatted(process.name(), code.getAsInt()));
      }
    }
    return complaints;
  }

  void kill(Role role) {
    of(role).forEach(SoakProcess::kill);
  }

  private JavaProcess start(Role role, String name, String process) {
    Path log = logs.resolve(name + ".log");
    return switch (role) {
      case RELAY ->
          small(SoakRelay.class, "-Xmx128m", log)
              .arguments("relay", "--name", process, "--lease", LEASE_SECONDS)
              .environment(broker.relayEnvironment(name))
              .environment(
                  Map.of(
                      "TWINBOX_DB_URL", database.url(name), "TWINBOX_DB_USER", SoakDatabase.RELAY))
              .start();
      case CONSUMER ->
          small(SoakConsumer.class, "-Xmx96m", log)
              .environment(
                  assignment(name, SoakDatabase.CONSUMER, consumerValues(name)).toEnvironment())
              .start();
      case PRODUCER -> {
        Map<String, String> values = new HashMap<>(pace);
        values.put("RELAXED", Boolean.toString(name.endsWith("2")));
        values.put("START", Long.toString(startedAt()));
        yield small(SoakProducer.class, "-Xmx64m", log)
            .environment(assignment(name, SoakDatabase.PRODUCER, values).toEnvironment())
            .start();
      }
    };
  }

  private Map<String, String> consumerValues(String name) {
    Map<String, String> values = new HashMap<>(broker.consumerValues(name));
    values.put("BROKER", choice.name());
    return values;
  }

  private Assignment assignment(String name, String role, Map<String, String> values) {
    return new Assignment(name, database.url(name), role, values);
  }

  private static JavaProcess.Builder small(Class<?> main, String heap, Path log) {
    return JavaProcess.of(main.getName(), log)
        .dropEnvironment("TWINBOX_") // the user's own settings
        .options(
            heap,
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xss512k",
            "-Dfile.encoding=UTF-8",
            "-Dlogback.configurationFile=dev/twinbox/examples/soak/logback.xml");
  }

  private synchronized long startedAt() {
    if (startMillis == 0) {
      startMillis = System.currentTimeMillis();
    }
    return startMillis;
  }

  /** Kills all that are left. */
  @Override
  public void close() {
    supervisor.shutdownNow();
    all.forEach(SoakProcess::kill);
  }
}
