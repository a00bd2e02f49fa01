package dev.twinbox.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL server of its own, from binaries on the class path, on a free port of localhost.
 *
 * <p>It keeps what it confirms: {@code fsync}, {@code synchronous_commit} and {@code
 * full_page_writes} are on, unlike in most test set-ups. It runs as root and as anybody else, and
 * it is gone when the JVM is, even when the JVM is killed. Safe for use by several threads; the
 * methods that stop or freeze it affect everyone who shares it, so such tests start their own.
 */
public final class TestPostgres implements AutoCloseable {
  private static final Map<PostgresVersion, TestPostgres> SHARED =
      new EnumMap<>(PostgresVersion.class);
  private static final Duration START_LIMIT = Duration.ofMinutes(5);

  private final PostgresVersion version;
  private final Map<String, String> settings;
  private final Unprivileged unprivileged;
  private final Path folder;
  private final int port = Ports.OF_THIS_JVM.free();
  private @Nullable Process process;

  private TestPostgres(Builder builder) {
    version = builder.version;
    settings = Map.copyOf(builder.settings);
    unprivileged = builder.unprivileged;
    folder = ExitCleanup.temporaryFolder("postgres");
    unprivileged.own(folder);
    Commands.run(
            unprivileged.command(
                program("initdb"),
                "--pgdata=" + data(),
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync"),
            Map.of())
        .orFail("initdb");
    restart();
  }

  private TestPostgres(TestPostgres original) {
    version = original.version;
    settings = original.settings;
    unprivileged = original.unprivileged;
    folder = ExitCleanup.temporaryFolder("postgres");
    BaseBackup.copy(original.dataSource(), original.data(), data());
    unprivileged.own(folder);
    restart();
    BaseBackup.promote(dataSource());
  }

  /** Starts a server of the newest version with default settings. */
  public static TestPostgres start() {
    return builder().start();
  }

  /** Starts a server of the given version with default settings. */
  public static TestPostgres start(PostgresVersion version) {
    return builder().version(version).start();
  }

  /** The newest version, shared by everyone in this JVM; started when first asked for. */
  public static TestPostgres shared() {
    return shared(PostgresVersion.V18);
  }

  /** The given version, shared by everyone in this JVM; started when first asked for. */
  public static TestPostgres shared(PostgresVersion version) {
    synchronized (SHARED) {
      return SHARED.computeIfAbsent(version, TestPostgres::start);
    }
  }

  public static Builder builder() {
    return new Builder();
  }

  public PostgresVersion version() {
    return version;
  }

  /** The port on 127.0.0.1; it stays the same over restarts. */
  public int port() {
    return port;
  }

  /** New, unpooled connections of the superuser to the database {@code postgres}. */
  public DataSource dataSource() {
    return new TestDatabase(this, "postgres").dataSource();
  }

  /** An empty database with a name of its own. */
  public TestDatabase createDatabase() {
    return create("");
  }

  /**
   * An empty database in another encoding than UTF8, with the collation {@code C}.
   *
   * @param encoding as PostgreSQL calls it: {@code LATIN1}
   */
  public TestDatabase createDatabase(String encoding) {
    return create(
        " encoding '%s' lc_collate 'C' lc_ctype 'C' template template0".formatted(encoding));
  }

  private TestDatabase create(String options) {
    String name = "test_" + UUID.randomUUID().toString().replace("-", "");
    try (Connection connection = dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("create database " + name + options);
    } catch (SQLException e) {
      throw new IllegalStateException("No new database", e);
    }
    return new TestDatabase(this, name);
  }

  /** Stops the server as an orderly shutdown does: sessions are ended, everything is on disk. */
  public void stop() {
    stop("INT");
  }

  /** Crashes the server: what was not confirmed may be gone, and the next start recovers. */
  public void stopImmediately() {
    stop("QUIT");
  }

  /** Stops the server if it runs and starts it on the same data and the same port. */
  public synchronized void restart() {
    stop();
    try {
      Process started =
          new ProcessBuilder(serverCommand())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
              .start();
      ExitCleanup.killAtEnd(started.pid());
      process = started;
      Commands.await("Starting PostgreSQL", START_LIMIT, () -> accepts(started));
      ExitCleanup.killAtEnd(postmaster());
    } catch (IOException e) {
      throw new UncheckedIOException("PostgreSQL did not start", e);
    }
  }

  /**
   * A server of its own from a base backup of this one, which is taken while it runs: started as a
   * standby, and promoted. PostgreSQL 15 or newer.
   */
  public TestPostgres promotedBaseBackup() {
    return new TestPostgres(this);
  }

  /** Freezes every process of the server; connections stay open and nothing answers. */
  public synchronized void pause() {
    ProcessHandle.of(postmaster()).ifPresent(Commands::pause);
  }

  /** Ends {@link #pause()}. */
  public synchronized void resume() {
    ProcessHandle.of(postmaster()).ifPresent(Commands::resume);
  }

  /** Copies what the server has written to its log into a folder that exists. */
  public void saveLogs(Path into) {
    Commands.copy(log(), into.resolve("postgres.log"));
  }

  /** Crashes the server and removes its data. */
  @Override
  public void close() {
    stopImmediately();
    ExitCleanup.delete(folder);
  }

  @Override
  public String toString() {
    return "PostgreSQL " + version + " on port " + port;
  }

  private synchronized void stop(String signal) {
    Process running = process;
    if (running == null) {
      return;
    }
    if (running.isAlive()) {
      resume();
      long postmaster = postmaster();
      Commands.signal(signal, postmaster);
      Commands.awaitExit("PostgreSQL", running);
      ExitCleanup.spare(postmaster);
    }
    ExitCleanup.spare(running.pid());
    process = null;
  }

  private List<String> serverCommand() {
    List<String> command =
        new ArrayList<>(unprivileged.command(program("postgres"), "-D", data().toString()));
    command.addAll(List.of("-p", Integer.toString(port)));
    settings.forEach((name, value) -> command.addAll(List.of("-c", name + "=" + value)));
    return command;
  }

  private boolean accepts(Process started) {
    if (!started.isAlive()) {
      throw new IllegalStateException("PostgreSQL did not start: " + Commands.tail(log()));
    }
    try (Connection connection = dataSource().getConnection()) {
      return connection.isValid(1);
    } catch (SQLException e) {
      return false;
    }
  }

  /** The server's first process, which is not the one we started where runuser is in between. */
  private long postmaster() {
    try {
      return Long.parseLong(Files.readAllLines(data().resolve("postmaster.pid")).get(0).strip());
    } catch (IOException e) {
      throw new UncheckedIOException("PostgreSQL does not run", e);
    }
  }

  private String program(String name) {
    return PostgresBinaries.unpacked(version).resolve("bin").resolve(name).toString();
  }

  private Path data() {
    return folder.resolve("data");
  }

  private Path log() {
    return folder.resolve("server.log");
  }

  /** Settings of a server to be started; not safe for use by several threads. */
  public static final class Builder {
    private final Map<String, String> settings = new LinkedHashMap<>();
    private PostgresVersion version = PostgresVersion.V18;
    private Unprivileged unprivileged = Unprivileged.detect();

    private Builder() {
      setting("listen_addresses", "127.0.0.1");
      setting("unix_socket_directories", "");
      setting("fsync", "on");
      setting("synchronous_commit", "on");
      setting("full_page_writes", "on");
      setting("max_connections", "200");
      setting("timezone", "UTC");
    }

    /** Default: {@link PostgresVersion#V18}. */
    public Builder version(PostgresVersion version) {
      this.version = version;
      return this;
    }

    /** A server setting as in postgresql.conf. Default: durable, with 200 connections. */
    public Builder setting(String name, String value) {
      settings.put(name, value);
      return this;
    }

    Builder as(Unprivileged unprivileged) {
      this.unprivileged = unprivileged;
      return this;
    }

    /** Starts the server and waits until it accepts connections, for 5 minutes at most. */
    public TestPostgres start() {
      return new TestPostgres(this);
    }
  }
}
