package dev.twinbox.benchmarks.peers;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.sides.Business;
import dev.twinbox.benchmarks.sides.KafkaOut;
import dev.twinbox.benchmarks.sides.Pools;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import io.namastack.outbox.Outbox;
import io.namastack.outbox.handler.OutboxTypedHandler;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * namastack-outbox with JDBC: a poll each 25 ms, 1,000 keys a batch, 32 threads that each handle a
 * key and wait for the confirm, completed records deleted.
 */
public final class NamastackSide implements Side {
  private static final Map<String, Object> SETTINGS =
      Map.of(
          "namastack.outbox.polling.batch-size", "1000",
          "namastack.outbox.polling.trigger", "fixed",
          "namastack.outbox.processing.executor-core-pool-size", "32",
          "namastack.outbox.processing.executor-max-pool-size", "32",
          "namastack.outbox.processing.delete-completed-records", "true",
          "namastack.outbox.instance.rebalance-interval", "1s",
          "namastack.outbox.instance.heartbeat-interval", "1s",
          "namastack.outbox.instance.stale-instance-timeout", "3s");

  private final HikariDataSource pool;
  private final KafkaOut kafka;
  private final String destination;
  private @Nullable ConfigurableApplicationContext application;
  private @Nullable TransactionTemplate transactions;
  private @Nullable Outbox outbox;
  private @Nullable JdbcTemplate jdbc;

  /** What Spring Boot configures. */
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  /** A handler of a message; a class of its own because its type argument is looked at. */
  private record Publishing(KafkaOut kafka) implements OutboxTypedHandler<PeerMessage> {
    @Override
    public void handle(
        PeerMessage message, io.namastack.outbox.handler.OutboxRecordMetadata metadata) {
      kafka.send(message.toRecord()).join();
    }
  }

  /** Publishes to the place's Kafka. */
  public NamastackSide(Place place, Confirms confirms) {
    pool = Pools.open(place, 46);
    kafka = new KafkaOut(place, confirms);
    destination = place.get("destination");
  }

  @Override
  public void fill(int messages) throws Exception {
    open("1h");
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("truncate outbox_record");
    }
    Outbox filled = present(outbox);
    TransactionTemplate filling = present(transactions);
    PeerSource.read(
        pool,
        messages,
        page ->
            filling.executeWithoutResult(
                status -> page.forEach(message -> filled.schedule(message, message.key()))));
    stop();
    try (Connection connection = pool.getConnection()) {
      Source.settle(connection, "outbox_record");
    }
  }

  @Override
  public void start() {
    open("25ms");
  }

  @Override
  public void stop() {
    ConfigurableApplicationContext running = application;
    if (running != null) {
      running.close();
      application = null;
    }
  }

  @Override
  public void transact(String key, byte[] payload) {
    PeerMessage message = PeerMessage.fresh(destination, key, payload);
    present(transactions)
        .executeWithoutResult(
            status -> {
              present(jdbc).update(Business.INSERT, key, 1250L);
              present(outbox).schedule(message, key);
            });
  }

  @Override
  public void close() {
    stop();
    kafka.close();
    pool.close();
  }

  private void open(String interval) {
    ConfigurableApplicationContext running =
        Spring.run(
            Application.class,
            "org.springframework.modulith.",
            Spring.with(SETTINGS, "namastack.outbox.polling.fixed.interval", interval),
            this::beans);
    application = running;
    transactions = new TransactionTemplate(running.getBean(PlatformTransactionManager.class));
    outbox = running.getBean(Outbox.class);
    jdbc = new JdbcTemplate(pool);
  }

  private void beans(GenericApplicationContext context) {
    context.registerBean("dataSource", DataSource.class, () -> Spring.shared(pool));
    context.registerBean("publishing", Publishing.class, () -> new Publishing(kafka));
  }

  private static <T> T present(@Nullable T bean) {
    if (bean == null) {
      throw new IllegalStateException("It was not started.");
    }
    return bean;
  }
}
