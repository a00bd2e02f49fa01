package dev.twinbox.inbox;

import dev.twinbox.testkit.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.ds.PGSimpleDataSource;

/** A consumer as a process of its own, which one message kills. */
public final class KilledProcess {
  /** The exit code of a process that the message has killed. */
  static final int KILLED = 86;

  static final int ATTEMPTS = 2;

  private KilledProcess() {}

  /**
   * @param main of a consumer
   * @param address the broker's
   * @param source the topic, or the queue
   * @param killer the id of the message that kills the process
   */
  static Process start(
      Path folder,
      InboxDatabase database,
      Class<?> main,
      String address,
      String source,
      String killer)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
    command.addAll(1, JavaProcess.localeOptions());
    command.addAll(List.of(database.jdbcUrl(), database.user(), address, source, killer));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("consumer.log").toFile()))
        .start();
  }

  /** The inbox of the database that the process was started with. */
  public static Inbox inbox(String[] arguments) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setURL(arguments[0]);
    dataSource.setUser(arguments[1]);
    return Inbox.builder()
        .dataSource(dataSource)
        .consumer("billing")
        .backoff(Backoff.exponential(Duration.ofMillis(10)).giveUpAfter(ATTEMPTS))
        .build();
  }

  /** The broker's address. */
  public static String address(String[] arguments) {
    return arguments[2];
  }

  /** The topic or queue. */
  public static String source(String[] arguments) {
    return arguments[3];
  }

  /** Dies at the message that is to kill it. */
  public static Handler handler(String[] arguments) {
    String killer = arguments[4];
    return (delivery, work) -> {
      InboxDatabase.effect(delivery, work);
      if (killer.equals(delivery.id())) {
        Runtime.getRuntime().halt(KILLED);
      }
    };
  }
}
