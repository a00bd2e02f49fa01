package dev.twinbox.benchmarks.sides;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.Side;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;

/**
 * The least that a program could do: one SELECT, streamed into a producer, with no memory of what
 * was sent. It reads the source itself.
 */
public final class RawLoopSide implements Side {
  private static final int FETCH = 1_000;

  private final HikariDataSource pool;
  private final KafkaOut kafka;
  private final LoopThread loop = new LoopThread();
  private int messages;

  /** Reads and sends as the place says. */
  public RawLoopSide(Place place, Confirms confirms) {
    pool = Pools.open(place, 1);
    kafka = new KafkaOut(place, confirms);
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
    kafka.close();
    pool.close();
  }

  private void run() throws Exception {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false); // the driver streams in a transaction only
      try (PreparedStatement select =
          connection.prepareStatement(
              "select " + Source.COLUMNS + " from bench.source where n <= ?")) {
        select.setInt(1, messages);
        select.setFetchSize(FETCH);
        try (ResultSet rows = select.executeQuery()) {
          for (long n = 1; rows.next() && !loop.isStopped(); n++) {
            kafka.sendOnly(Source.record(rows, n));
          }
        }
      }
      connection.commit();
    }
    kafka.flush();
  }
}
