package dev.twinbox.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A private Redis from an installed redis-server, on a free port of localhost, in a folder of its
 * own. It is gone when this JVM is, even when this JVM is killed. Safe for use by several threads.
 *
 * <p>Unless options say otherwise it appends each write to a file and syncs it before it answers,
 * and evicts nothing: what it has confirmed survives {@link #kill()}.
 */
public final class TestRedis implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(2);

  private final Path folder = ExitCleanup.temporaryFolder("redis");
  private final int port = Ports.OF_THIS_JVM.free();
  private final List<String> command;
  private @Nullable Process server;

  private TestRedis(String... options) {
    command =
        new ArrayList<>(
            List.of(
                "redis-server",
                "--port",
                Integer.toString(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                folder.toString(),
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--maxmemory-policy",
                "noeviction"));
    command.addAll(List.of(options));
  }

  /**
   * Starts a server and waits until it answers, for 2 minutes at most.
   *
   * @param options as on redis-server's command line, such as {@code "--appendonly", "no"}
   * @throws IllegalStateException if no redis-server is installed
   */
  public static TestRedis start(String... options) {
    TestRedis redis = new TestRedis(options);
    redis.restart();
    return redis;
  }

  /** Starts a replica of the server and waits until it has all that is there now. */
  public static TestRedis replicaOf(TestRedis primary) {
    TestRedis replica = start("--replicaof", "127.0.0.1 " + primary.port);
    Commands.await(
        "Copying to a replica of Redis",
        START_LIMIT,
        () -> replica.cli("info", "replication").contains("master_link_status:up"));
    return replica;
  }

  /** The address; it stays the same over restarts. */
  public URI uri() {
    return URI.create("redis://127.0.0.1:" + port);
  }

  public int port() {
    return port;
  }

  /**
   * Runs one command by redis-cli.
   *
   * @return what it prints
   * @throws IllegalStateException with its output, if it fails
   */
  public String cli(String... words) {
    List<String> line =
        new ArrayList<>(List.of("redis-cli", "-e", "-p", Integer.toString(port), "--raw"));
    line.addAll(List.of(words));
    return Commands.run(line, Map.of()).orFail(String.join(" ", words)).output().strip();
  }

  /** Makes a replica a primary, as a failover does. What it has not received is lost. */
  public void promote() {
    cli("replicaof", "no", "one");
  }

  /** Ends it with SIGKILL, frozen or not, and waits until it is gone. */
  public synchronized void kill() {
    Process running = server;
    if (running != null) {
      running.destroyForcibly();
      Commands.awaitExit("Redis", running);
      ExitCleanup.spare(running.pid());
      server = null;
    }
  }

  /** Kills it if it runs, and starts it on what it kept, on the same port. */
  public synchronized void restart() {
    kill();
    Path output = folder.resolve("output.log");
    try {
      Process started =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
              .start();
      ExitCleanup.killAtEnd(started.pid());
      server = started;
      Commands.await("Starting Redis", START_LIMIT, () -> answers(started, output));
    } catch (IOException e) {
      throw new UncheckedIOException(
          "redis-server did not start. Install it: apt-get install redis-server", e);
    }
  }

  /** Freezes it; connections stay open and nothing answers. */
  public synchronized void pause() {
    Commands.pause(running().toHandle());
  }

  /** Ends {@link #pause()}. */
  public synchronized void resume() {
    Commands.resume(running().toHandle());
  }

  /** Kills it and removes what it kept. */
  @Override
  public synchronized void close() {
    kill();
    ExitCleanup.delete(folder);
  }

  @Override
  public String toString() {
    return "Redis on port " + port;
  }

  private boolean answers(Process started, Path output) {
    if (!started.isAlive()) {
      throw new IllegalStateException("Redis has ended: " + Commands.tail(output));
    }
    return Commands.run("redis-cli", "-p", Integer.toString(port), "ping")
        .output()
        .strip()
        .equals("PONG");
  }

  private Process running() {
    Process running = server;
    if (running == null) {
      throw new IllegalStateException("Redis does not run");
    }
    return running;
  }
}
