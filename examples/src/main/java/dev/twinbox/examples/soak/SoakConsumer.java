package dev.twinbox.examples.soak;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxTransaction;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** A consumer process: applies messages until it is told to stop, or killed. */
final class SoakConsumer {
  static final String CONSUMER = "soak";

  static final int BATCH = 50;
  private static final int CONNECTIONS = 5;

  private SoakConsumer() {}

  public static void main(String[] arguments) {
    Assignment assignment = Assignment.fromEnvironment();
    HikariDataSource pool = pool(assignment);
    Inbox inbox =
        Inbox.builder()
            .dataSource(pool)
            .consumer(CONSUMER)
            // The handler fails on purpose, and processes are killed: nothing may be given up.
            .backoff(
                Backoff.exponential(Duration.ofMillis(20))
                    .upTo(Duration.ofMillis(200))
                    .giveUpAfter(100_000))
            .handlerTimeLimit(Duration.ofSeconds(10))
            .build();
    Handler handler = (delivery, work) -> apply(assignment.name(), delivery, work);
    AutoCloseable consumer =
        SoakBrokerChoice.valueOf(assignment.get("BROKER")).consume(assignment, inbox, handler);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(consumer, pool), "stop"));
  }

  private static void apply(String name, Delivery delivery, InboxTransaction work)
      throws InterruptedException {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    String key = delivery.key() == null ? SoakTables.KEYLESS : delivery.key();
    // The row's lock lets the effects of a key be numbered in the order of their commits.
    work.dsl()
        .execute(
            "with turn as (update soak.balance set effects = effects + 1 where key = ? returning"
                + " effects) insert into soak.effect select ?, effects, ?, ? from turn",
            key,
            key,
            UUID.fromString(Objects.requireNonNull(delivery.id())),
            name);
    int chance = random.nextInt(500);
    if (chance < 10) {
      TimeUnit.MILLISECONDS.sleep(1 + random.nextInt(20));
    } else if (chance == 10) {
      throw new IllegalStateException("A handler that fails now and then");
    }
  }

  private static HikariDataSource pool(Assignment assignment) {
    HikariConfig config = new HikariConfig();
    config.setPoolName(assignment.name());
    config.setJdbcUrl(assignment.databaseUrl());
    config.setUsername(assignment.role());
    config.setMaximumPoolSize(CONNECTIONS);
    config.setMinimumIdle(1);
    config.setConnectionTimeout(5_000);
    config.setInitializationFailTimeout(-1); // the database may be away at the start
    return new HikariDataSource(config);
  }

  private static void stop(AutoCloseable consumer, HikariDataSource pool) {
    int code = 1;
    try {
      consumer.close();
      pool.close();
      code = 0;
    } catch (Exception e) {
      System.err.println("The consumer did not stop: " + e);
    } finally {
      Runtime.getRuntime().halt(code);
    }
  }
}
