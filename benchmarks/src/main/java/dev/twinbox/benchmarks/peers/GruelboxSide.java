package dev.twinbox.benchmarks.peers;

import com.gruelbox.transactionoutbox.DefaultPersistor;
import com.gruelbox.transactionoutbox.Dialect;
import com.gruelbox.transactionoutbox.Instantiator;
import com.gruelbox.transactionoutbox.Persistor;
import com.gruelbox.transactionoutbox.Submitter;
import com.gruelbox.transactionoutbox.TransactionManager;
import com.gruelbox.transactionoutbox.TransactionOutbox;
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
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * gruelbox transaction-outbox: each message a scheduled method call, submitted to 32 threads right
 * after its commit; a backlog is flushed in batches of 2,000. A call waits for its confirm inside
 * the library's transaction, which is how it knows that it is done.
 */
public final class GruelboxSide implements Side {
  private static final int THREADS = 32;
  private static final int FLUSH = 2_000;

  /** The library refuses what is not in the future. */
  private static final Duration DUE_AFTER = Duration.ofSeconds(2);

  private final HikariDataSource pool;
  private final KafkaOut kafka;
  private final String destination;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final TransactionManager transactions;
  private final TransactionOutbox working;
  private final TransactionOutbox filling;
  private final LoopThread loop = new LoopThread();

  /** What is called for each message; its arguments are what is stored. */
  interface Publishing {
    void publish(String id, String createdAt, String destination, String key, String payload);
  }

  /** Publishes to the place's Kafka. */
  public GruelboxSide(Place place, Confirms confirms) {
    pool = Pools.open(place, THREADS + 14);
    kafka = new KafkaOut(place, confirms);
    destination = place.get("destination");
    transactions = TransactionManager.fromDataSource(pool);
    working = outbox(Submitter.withExecutor(threads), Duration.ofMinutes(10));
    // Does not submit, and what it schedules is soon due for the other one's flush.
    filling = outbox((entry, done) -> {}, DUE_AFTER);
  }

  @Override
  public void fill(int messages) throws Exception {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("truncate txno_outbox");
    }
    PeerSource.read(
        pool,
        messages,
        page ->
            transactions.inTransaction(() -> page.forEach(message -> schedule(filling, message))));
    try (Connection connection = pool.getConnection()) {
      Source.settle(connection, "txno_outbox");
    }
    TimeUnit.MILLISECONDS.sleep(DUE_AFTER.toMillis());
  }

  @Override
  public void start() {
    loop.start(
        () -> {
          while (!loop.isStopped()) {
            if (!working.flush()) {
              TimeUnit.MILLISECONDS.sleep(50);
            }
          }
        });
  }

  @Override
  public void stop() throws Exception {
    loop.stop();
  }

  @Override
  public void transact(String key, byte[] payload) throws Exception {
    PeerMessage message = PeerMessage.fresh(destination, key, payload);
    transactions.inTransactionThrows(
        transaction -> {
          Business.insert(transaction.connection(), key);
          schedule(working, message);
        });
  }

  @Override
  public void close() {
    threads.shutdownNow();
    kafka.close();
    pool.close();
  }

  private TransactionOutbox outbox(Submitter submitter, Duration attemptFrequency) {
    Publishing publishing =
        (id, createdAt, address, key, payload) ->
            kafka.send(new PeerMessage(id, createdAt, address, key, payload).toRecord()).join();
    return TransactionOutbox.builder()
        .transactionManager(transactions)
        .persistor(persistor())
        .instantiator(Instantiator.using(type -> publishing))
        .submitter(submitter)
        .attemptFrequency(attemptFrequency)
        .flushBatchSize(FLUSH)
        .build();
  }

  private static Persistor persistor() {
    return DefaultPersistor.builder().dialect(Dialect.POSTGRESQL_9).build();
  }

  private static void schedule(TransactionOutbox outbox, PeerMessage message) {
    outbox
        .schedule(Publishing.class)
        .publish(
            message.id(),
            message.createdAt(),
            message.destination(),
            message.key(),
            message.payload());
  }
}
