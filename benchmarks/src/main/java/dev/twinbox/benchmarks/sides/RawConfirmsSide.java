package dev.twinbox.benchmarks.sides;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import dev.twinbox.broker.OutboxRecord;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The least that a program could do for RabbitMQ: one SELECT, streamed into one channel, with as
 * many unconfirmed messages as the relay's four lanes together may have, and no memory of what was
 * sent. With {@code transaction=N} channel transactions of N messages instead of confirms.
 */
public final class RawConfirmsSide implements Side {
  private static final int FETCH = 1_000;
  private static final int UNCONFIRMED = 10_000;

  private final Place place;
  private final Confirms confirms;
  private final HikariDataSource pool;
  private final int transaction;
  private final LoopThread loop = new LoopThread();
  private int messages;

  /** Reads and publishes as the place says. */
  public RawConfirmsSide(Place place, Confirms confirms) {
    this.place = place;
    this.confirms = confirms;
    pool = Pools.open(place, 1);
    transaction = Integer.parseInt(place.get("transaction", "0"));
  }

  @Override
  public void fill(int count) {
    messages = count;
  }

  @Override
  public void start() {
    loop.start(this::run);
  }

  @Override
  public void stop() throws Exception {
    loop.stop();
  }

  @Override
  public void close() {
    pool.close();
  }

  private void run() throws Exception {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri(place.get("rabbitmq"));
    try (Connection connection = factory.newConnection("bench-raw");
        Channel channel = connection.createChannel();
        java.sql.Connection database = pool.getConnection()) {
      database.setAutoCommit(false); // the driver streams in a transaction only
      try (PreparedStatement select =
          database.prepareStatement(
              "select " + Source.COLUMNS + " from bench.source where n <= ?")) {
        select.setInt(1, messages);
        select.setFetchSize(FETCH);
        try (ResultSet rows = select.executeQuery()) {
          if (transaction > 0) {
            inTransactions(channel, rows);
          } else {
            withConfirms(channel, rows);
          }
        }
      }
      database.commit();
      database.setAutoCommit(true);
    }
  }

  private void withConfirms(Channel channel, ResultSet rows) throws Exception {
    Semaphore room = new Semaphore(UNCONFIRMED);
    Window window = new Window(messages, confirms, room);
    channel.confirmSelect();
    channel.addConfirmListener(window::confirmed, (number, multiple) -> {});
    for (long n = 1; rows.next() && !loop.isStopped(); n++) {
      room.acquire();
      RabbitOut.publish(channel, Source.record(rows, n), n);
    }
    // All permits are back when everything is confirmed.
    boolean all = room.tryAcquire(UNCONFIRMED, 60, TimeUnit.SECONDS);
    if (!all && !loop.isStopped()) {
      throw new IllegalStateException("RabbitMQ did not confirm everything within 60 s");
    }
  }

  private void inTransactions(Channel channel, ResultSet rows) throws Exception {
    channel.txSelect();
    int open = 0;
    for (long n = 1; rows.next() && !loop.isStopped(); n++) {
      OutboxRecord record = Source.record(rows, n);
      RabbitOut.publish(channel, record, n);
      open++;
      if (open == transaction || n == messages) {
        channel.txCommit();
        for (int i = 0; i < open; i++) {
          confirms.confirmed(null);
        }
        open = 0;
      }
    }
  }

  /** What is confirmed, by numbers that rise; only the client's reader thread writes. */
  private static final class Window {
    private final boolean[] done;
    private final Confirms confirms;
    private final Semaphore room;
    private int lowest = 1;

    Window(int messages, Confirms confirms, Semaphore room) {
      done = new boolean[messages + 1];
      this.confirms = confirms;
      this.room = room;
    }

    void confirmed(long number, boolean multiple) {
      if (!multiple) {
        settle((int) number);
        return;
      }
      while (lowest <= number) {
        settle(lowest++);
      }
    }

    private void settle(int number) {
      if (!done[number]) {
        done[number] = true;
        confirms.confirmed(null);
        room.release();
      }
    }
  }
}
