package dev.twinbox.benchmarks.peers;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.sides.Business;
import dev.twinbox.benchmarks.sides.KafkaOut;
import dev.twinbox.benchmarks.sides.LoopThread;
import dev.twinbox.benchmarks.sides.Pools;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.modulith.events.IncompleteEventPublications;
import org.springframework.modulith.events.ResubmissionOptions;
import org.springframework.scheduling.annotation.Async;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Spring Modulith's event publication registry with JDBC: a listener after the commit on 32
 * threads, without a transaction of its own, completed publications deleted. A backlog is what is
 * resubmitted.
 */
public final class ModulithSide implements Side {
  private static final Map<String, Object> SETTINGS =
      Map.of(
          "spring.modulith.events.completion-mode", "delete",
          "spring.modulith.events.jdbc.schema-initialization.enabled", "true",
          "spring.modulith.events.jdbc.use-legacy-structure", "false",
          "spring.task.execution.pool.core-size", "32",
          "spring.task.execution.pool.max-size", "32");

  private final HikariDataSource pool;
  private final Publishing publishing;
  private final String destination;
  private final ConfigurableApplicationContext application;
  private final TransactionTemplate transactions;
  private final JdbcTemplate jdbc;
  private final LoopThread loop = new LoopThread();

  /** What Spring Boot configures. */
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  /** The listener; not final, because Spring makes a subclass of it. */
  static class Publishing {
    private final KafkaOut kafka;
    private volatile boolean failing;

    Publishing(KafkaOut kafka) {
      this.kafka = kafka;
    }

    @Async
    @TransactionalEventListener(id = "publishing")
    public void on(PeerMessage message) {
      if (isFailing()) {
        throw new IllegalStateException("Not now: the registry is being filled.");
      }
      send(message);
    }

    void send(PeerMessage message) {
      kafka.send(message.toRecord()).join();
    }

    boolean isFailing() {
      return failing;
    }

    void setFailing(boolean now) {
      failing = now;
    }
  }

  /** Publishes to the place's Kafka. */
  public ModulithSide(Place place, Confirms confirms) {
    pool = Pools.open(place, 46);
    publishing = new Publishing(new KafkaOut(place, confirms));
    destination = place.get("destination");
    application = Spring.run(Application.class, "io.namastack.", SETTINGS, this::beans);
    transactions = new TransactionTemplate(application.getBean(PlatformTransactionManager.class));
    jdbc = new JdbcTemplate(pool);
  }

  /** One publication that fails shows how they are stored; the others are made like it. */
  @Override
  public void fill(int messages) throws Exception {
    jdbc.execute("truncate event_publication");
    publishing.setFailing(true);
    transact("template", new byte[0]);
    long deadline = System.nanoTime() + 10_000_000_000L;
    while (number("select count(*) from event_publication where completion_date is null") != 1
        && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    TimeUnit.MILLISECONDS.sleep(100); // until the registry has noted the failure
    publishing.setFailing(false);
    try (Connection connection = pool.getConnection()) {
      try (Statement statement = connection.createStatement()) {
        statement.execute(
            """
            insert into event_publication
              (id, listener_id, event_type, serialized_event, publication_date, status)
            select gen_random_uuid(), t.listener_id, t.event_type,
              json_build_object('id', s.id, 'createdAt',
                to_char(s.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'destination', s.destination, 'key', s.key,
                'payload', convert_from(s.payload, 'UTF8'))::text,
              now() - interval '1 minute' + s.n * interval '1 microsecond', t.status
            from event_publication t, bench.source s where s.n <= %s;
            """
                .formatted(messages));
        statement.execute("delete from event_publication where serialized_event like '%template%'");
      }
      Source.settle(connection, "event_publication");
    }
  }

  @Override
  public void start() {
    IncompleteEventPublications incomplete = application.getBean(IncompleteEventPublications.class);
    ResubmissionOptions options =
        ResubmissionOptions.defaults()
            .withBatchSize(1_000)
            .withMaxInFlight(2_000)
            .withMinAge(Duration.ZERO);
    loop.start(
        () -> {
          while (!loop.isStopped()) {
            incomplete.resubmitIncompletePublications(options);
            TimeUnit.MILLISECONDS.sleep(5);
          }
        });
  }

  @Override
  public void stop() throws Exception {
    loop.stop();
  }

  @Override
  public void transact(String key, byte[] payload) {
    PeerMessage message = PeerMessage.fresh(destination, key, payload);
    transactions.executeWithoutResult(
        status -> {
          jdbc.update(Business.INSERT, key, 1250L);
          application.publishEvent(message);
        });
  }

  @Override
  public void close() {
    application.close();
    publishing.kafka.close();
    pool.close();
  }

  private void beans(GenericApplicationContext context) {
    context.registerBean("dataSource", DataSource.class, () -> Spring.shared(pool));
    context.registerBean("publishing", Publishing.class, () -> publishing);
  }

  private long number(String sql) throws SQLException {
    Long number = jdbc.queryForObject(sql, Long.class);
    return number == null ? 0 : number;
  }
}
