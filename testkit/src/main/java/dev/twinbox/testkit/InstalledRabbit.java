package dev.twinbox.testkit;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A private node from the RabbitMQ installed here: own name, ports, folders, cookie and epmd, so
 * that it meets no other node of this machine.
 */
final class InstalledRabbit implements RabbitNode {
  private final Path scripts;
  private final Path folder = ExitCleanup.temporaryFolder("rabbitmq");
  private final int port = Ports.OF_THIS_JVM.free();
  private final int managementPort = Ports.OF_THIS_JVM.free();
  private final Map<String, String> environment = new HashMap<>();
  private final Epmd epmd;
  private @Nullable Process server;

  /**
   * @param scripts the folder of the real scripts; Debian's wrapper around them would change the
   *     user and its folder
   * @param peers the names of all nodes of the cluster, this one included
   */
  InstalledRabbit(Path scripts, Epmd epmd, String name, List<String> peers) {
    this.scripts = scripts;
    this.epmd = epmd;
    environment.put("HOME", folder.toString());
    environment.put("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:" + path());
    environment.put("LANG", "C.UTF-8");
    environment.put("ERL_EPMD_PORT", Integer.toString(epmd.port()));
    environment.put("ERL_EPMD_ADDRESS", "127.0.0.1");
    environment.put("ERL_FLAGS", "-kernel inet_dist_use_interface {127,0,0,1}");
    environment.put("ERL_CRASH_DUMP_BYTES", "0");
    environment.put("RABBITMQ_NODENAME", name);
    environment.put("RABBITMQ_DIST_PORT", Integer.toString(Ports.OF_THIS_JVM.free()));
    environment.put("RABBITMQ_MNESIA_BASE", folder.resolve("data").toString());
    environment.put("RABBITMQ_LOG_BASE", folder.resolve("log").toString());
    environment.put("RABBITMQ_CONF_ENV_FILE", write("rabbitmq-env.conf", ""));
    environment.put("RABBITMQ_ADVANCED_CONFIG_FILE", write("advanced.config", "[]."));
    environment.put("RABBITMQ_ENABLED_PLUGINS_FILE", write("plugins", "[rabbitmq_management]."));
    environment.put("RABBITMQ_CONFIG_FILE", write("rabbitmq.conf", configuration(peers)));
    protect(write(".erlang.cookie", epmd.cookie()));
    epmd.use(this::launch);
  }

  /** A node by itself. */
  static InstalledRabbit single(Path scripts) {
    String name = newName();
    return new InstalledRabbit(scripts, new Epmd(), name, List.of(name));
  }

  static String newName() {
    return "twinbox-" + UUID.randomUUID().toString().substring(0, 8) + "@localhost";
  }

  /** The folder of RabbitMQ's own scripts, if it is installed. */
  static Optional<Path> find() {
    Stream<String> known = Stream.of("/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin");
    return Stream.concat(known, Stream.of(path().split(File.pathSeparator)))
        .map(Path::of)
        .filter(bin -> Files.isExecutable(bin.resolve("rabbitmq-server")))
        .filter(bin -> !isWrapper(bin.resolve("rabbitmq-server")))
        .findFirst();
  }

  @Override
  public URI amqp() {
    return URI.create("amqp://guest:guest@127.0.0.1:" + port);
  }

  @Override
  public URI management() {
    return URI.create("http://127.0.0.1:" + managementPort);
  }

  @Override
  public void start() {
    server = launch(scripts.resolve("rabbitmq-server").toString());
  }

  @Override
  public void stop() {
    end(Process::destroy);
  }

  @Override
  public void kill() {
    end(
        running -> {
          // The script waits for the Erlang machine, its child, and ends when that is gone.
          running.descendants().forEach(ProcessHandle::destroyForcibly);
          Commands.awaitExit("RabbitMQ", running);
        });
  }

  @Override
  public void pause() {
    Commands.pause(running().toHandle());
  }

  @Override
  public void resume() {
    Commands.resume(running().toHandle());
  }

  @Override
  public void control(String... command) {
    List<String> words = new ArrayList<>(List.of(scripts.resolve("rabbitmqctl").toString()));
    words.addAll(List.of(command));
    Commands.run(words, environment).orFail(String.join(" ", command));
  }

  @Override
  public void remove() {
    kill();
    epmd.release();
    ExitCleanup.delete(folder);
  }

  @Override
  public void saveLogs(Path into) {
    String name = environment.getOrDefault("RABBITMQ_NODENAME", "rabbitmq");
    Commands.copy(output(), into.resolve(name + "-output.log"));
    Commands.copy(folder.resolve("log").resolve(name + ".log"), into.resolve(name + ".log"));
  }

  @Override
  public void checkAlive() {
    if (!running().isAlive()) {
      throw new IllegalStateException("RabbitMQ has ended: " + Commands.tail(output()));
    }
  }

  private interface Ending {
    void apply(Process running);
  }

  private void end(Ending ending) {
    Process running = server;
    if (running == null) {
      return;
    }
    if (running.isAlive()) {
      ending.apply(running);
      Commands.awaitExit("RabbitMQ", running);
    }
    ExitCleanup.spare(running.pid());
    server = null;
  }

  private Process running() {
    Process running = server;
    if (running == null) {
      throw new IllegalStateException("RabbitMQ does not run");
    }
    return running;
  }

  private Process launch(String... command) {
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(output().toFile()));
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.startsWith("RABBITMQ_") || name.startsWith("ERL_"));
    builder.environment().putAll(environment);
    try {
      Process process = builder.start();
      ExitCleanup.killAtEnd(process.pid());
      return process;
    } catch (IOException e) {
      throw new UncheckedIOException(command[0] + " did not start", e);
    }
  }

  private String configuration(List<String> peers) {
    StringBuilder text =
        new StringBuilder(
            """
            listeners.tcp.1 = 127.0.0.1:%s
            management.tcp.ip = 127.0.0.1
            management.tcp.port = %s
            log.file.level = warning
            log.console = false
            """
                .formatted(port, managementPort));
    for (int i = 0; i < peers.size() && peers.size() > 1; i++) {
      text.append(
          "cluster_formation.classic_config.nodes.%s = %s\n".formatted(i + 1, peers.get(i)));
    }
    return text.toString();
  }

  private Path output() {
    return folder.resolve("output.log");
  }

  private String write(String name, String content) {
    try {
      return Files.writeString(folder.resolve(name), content).toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void protect(String file) {
    try {
      Files.setPosixFilePermissions(Path.of(file), PosixFilePermissions.fromString("r--------"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isWrapper(Path script) {
    try {
      return script.toRealPath().endsWith("rabbitmq-script-wrapper");
    } catch (IOException e) {
      return true;
    }
  }

  private static String path() {
    String path = System.getenv("PATH");
    return path == null ? "/usr/bin" : path;
  }
}
