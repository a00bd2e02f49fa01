package dev.twinbox.benchmarks.peers;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerClient;
import com.github.kagkarlsson.scheduler.task.TaskInstance;
import com.github.kagkarlsson.scheduler.task.helper.OneTimeTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.sides.Business;
import dev.twinbox.benchmarks.sides.KafkaOut;
import dev.twinbox.benchmarks.sides.Pools;
import dev.twinbox.benchmarks.sides.Source;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * db-scheduler with a one-time task a message: polling by lock-and-fetch, which its manual advises
 * for throughput on PostgreSQL, 50 threads, a poll each 10 ms. A task waits for its confirm; the
 * threads are what is on the way.
 */
public final class DbSchedulerSide implements Side {
  private static final int THREADS = 50;
  private static final int CONNECTIONS = 24;
  private static final String TABLE =
      """
      drop table if exists scheduled_tasks;
      create table scheduled_tasks (
        task_name text not null, task_instance text not null, task_data bytea,
        execution_time timestamptz not null, picked boolean not null, picked_by text,
        last_success timestamptz, last_failure timestamptz, consecutive_failures int,
        last_heartbeat timestamptz, version bigint not null, priority smallint,
        primary key (task_name, task_instance));
      create index execution_time_idx on scheduled_tasks (execution_time);
      create index last_heartbeat_idx on scheduled_tasks (last_heartbeat)
      """;

  private final HikariDataSource pool;
  private final KafkaOut kafka;
  private final String destination;
  private final OneTimeTask<PeerMessage> task;
  private final SchedulerClient client;
  private final TransactionTemplate transactions;
  private final JdbcTemplate jdbc;
  private @Nullable Scheduler scheduler;

  /** Publishes to the place's Kafka. */
  public DbSchedulerSide(Place place, Confirms confirms) throws SQLException {
    pool = Pools.open(place, CONNECTIONS);
    kafka = new KafkaOut(place, confirms);
    destination = place.get("destination");
    task =
        Tasks.oneTime("publish", PeerMessage.class)
            .execute((instance, context) -> kafka.send(instance.getData().toRecord()).join());
    TransactionAwareDataSourceProxy joining = new TransactionAwareDataSourceProxy(pool);
    client = SchedulerClient.Builder.create(joining, task).build();
    transactions = new TransactionTemplate(new DataSourceTransactionManager(pool));
    jdbc = new JdbcTemplate(pool);
    execute(TABLE);
  }

  @Override
  public void fill(int messages) throws Exception {
    execute("truncate scheduled_tasks");
    Instant now = Instant.now();
    PeerSource.read(
        pool,
        messages,
        page ->
            transactions.executeWithoutResult(
                status -> {
                  List<TaskInstance<?>> instances =
                      page.stream()
                          .<TaskInstance<?>>map(message -> task.instance(message.id(), message))
                          .toList();
                  client.scheduleBatch(instances, now);
                }));
    try (Connection connection = pool.getConnection()) {
      Source.settle(connection, "scheduled_tasks");
    }
  }

  @Override
  public void start() {
    scheduler =
        Scheduler.create(pool, task)
            .threads(THREADS)
            .pollingInterval(Duration.ofMillis(10))
            .pollUsingLockAndFetch(4, 20)
            .build();
    scheduler.start();
  }

  @Override
  public void stop() {
    Scheduler running = scheduler;
    if (running != null) {
      running.stop();
      scheduler = null;
    }
  }

  @Override
  public void transact(String key, byte[] payload) {
    PeerMessage message = PeerMessage.fresh(destination, key, payload);
    transactions.executeWithoutResult(
        status -> {
          jdbc.update(Business.INSERT, key, 1250L);
          client.schedule(task.instance(message.id(), message), Instant.now());
        });
  }

  @Override
  public void close() {
    stop();
    kafka.close();
    pool.close();
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
