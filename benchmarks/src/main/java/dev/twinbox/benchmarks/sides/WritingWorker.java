package dev.twinbox.benchmarks.sides;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.worker.Place;
import dev.twinbox.benchmarks.worker.SampleTexts;
import dev.twinbox.benchmarks.worker.Worker;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A producer: both sides in one process, one after the other, each by as many threads that write
 * one transaction after the other.
 */
public final class WritingWorker implements Worker {
  private static final int THREADS = 4;

  private final HikariDataSource pool;
  private final byte[] payload;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

  /** Makes the tables of the bare side. */
  public WritingWorker(Place place) throws SQLException {
    pool = Pools.open(place, THREADS);
    payload = SampleTexts.payload(1, place.number("bytes"));
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(Writing.TABLE);
    }
  }

  /**
   * {@code slice SIDE SECONDS} answers rows a second, {@code rows SIDE N} writes so many
   * transactions by one thread, {@code empty} empties the tables.
   */
  @Override
  public String obey(String verb, String... arguments) throws Exception {
    switch (verb) {
      case "slice" -> {
        return Double.toString(
            slice(Writing.valueOf(arguments[0]), Double.parseDouble(arguments[1])));
      }
      case "rows" -> rows(Writing.valueOf(arguments[0]), Integer.parseInt(arguments[1]));
      case "empty" -> empty();
      default -> throw new IllegalArgumentException("Unknown order " + verb);
    }
    return "done";
  }

  @Override
  public void close() {
    threads.shutdownNow();
    pool.close();
  }

  private double slice(Writing side, double seconds) throws Exception {
    long begin = System.nanoTime();
    long end = begin + (long) (seconds * 1e9);
    List<Future<Long>> parts = new ArrayList<>();
    Callable<Long> part = () -> writeUntil(side, end);
    for (int i = 0; i < THREADS; i++) {
      parts.add(threads.submit(part));
    }
    long written = 0;
    for (Future<Long> done : parts) {
      written += done.get();
    }
    return written * 1e9 / (System.nanoTime() - begin);
  }

  private long writeUntil(Writing side, long end) throws SQLException {
    long written = 0;
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      while (System.nanoTime() < end) {
        side.write(connection, Writing.Content.random(payload));
        connection.commit();
        written += side.rows();
      }
    }
    return written;
  }

  private void rows(Writing side, int transactions) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < transactions; i++) {
        side.write(connection, Writing.Content.random(payload));
        connection.commit();
      }
    }
  }

  private void empty() throws SQLException {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("truncate twinbox.outbox, bench.bare, bench.business");
      statement.execute("checkpoint");
    }
  }
}
