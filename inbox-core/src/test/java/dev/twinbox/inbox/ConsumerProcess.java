package dev.twinbox.inbox;

import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.inbox.kafka.KafkaInboxConsumer;
import dev.twinbox.inbox.rabbitmq.RabbitInboxConsumer;
import dev.twinbox.testkit.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.postgresql.ds.PGSimpleDataSource;

/** A consumer as a process of its own, which one message kills. */
public final class ConsumerProcess {
  /** The exit code of a process that the message has killed. */
  static final int KILLED = 86;

  static final int ATTEMPTS = 2;

  private ConsumerProcess() {}

  /**
   * @param broker {@code kafka} or {@code rabbitmq}
   * @param address Kafka's bootstrap servers, or an AMQP URI
   * @param source the topic, or the queue
   * @param killer the id of the message that kills the process
   */
  static Process start(
      Path folder,
      InboxDatabase database,
      String broker,
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
                ConsumerProcess.class.getName()));
    command.addAll(1, JavaProcess.localeOptions());
    command.addAll(List.of(database.jdbcUrl(), database.user(), broker, address, source, killer));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("consumer.log").toFile()))
        .start();
  }

  public static void main(String[] arguments) throws Exception {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setURL(arguments[0]);
    dataSource.setUser(arguments[1]);
    Inbox inbox =
        Inbox.builder()
            .dataSource(dataSource)
            .consumer("billing")
            .backoff(Backoff.exponential(Duration.ofMillis(10)).giveUpAfter(ATTEMPTS))
            .build();
    String killer = arguments[5];
    Handler handler =
        (delivery, work) -> {
          InboxDatabase.effect(delivery, work);
          if (killer.equals(delivery.id())) {
            Runtime.getRuntime().halt(KILLED);
          }
        };
    if (arguments[2].equals("kafka")) {
      KafkaInboxConsumer.builder()
          .development()
          .inbox(inbox)
          .handler(handler)
          .topics(arguments[4])
          .property("bootstrap.servers", arguments[3])
          .property("group.id", arguments[4])
          // A dead member is noticed soon.
          .property("session.timeout.ms", 6_000)
          .build()
          .start();
    } else {
      ConnectionFactory factory = new ConnectionFactory();
      factory.setUri(arguments[3]);
      RabbitInboxConsumer.builder()
          .inbox(inbox)
          .handler(handler)
          .queue(arguments[4])
          .connectionFactory(factory)
          .build()
          .start();
    }
    new CountDownLatch(1).await();
  }
}
