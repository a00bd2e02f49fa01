package dev.twinbox.relay.store;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A long act of an operator in small transactions, one after the other, at most so many rows a
 * second. Stopped anywhere, what is done stays done.
 */
public final class Paced {
  private static final int BATCH = 500;

  private Paced() {}

  /**
   * Which rows a transaction works on.
   *
   * @param beyond only those beyond this one
   * @param upTo only those up to this one
   * @param limit at most so many
   */
  public record Range(long beyond, long upTo, int limit) {}

  /**
   * What one transaction did.
   *
   * @param count how many rows it worked on
   * @param last the last of them; 0 for none
   */
  public record Batch(long count, long last) {}

  /** One transaction. */
  @FunctionalInterface
  public interface Step {
    Batch take(Range range) throws SQLException;
  }

  /** Told after each transaction. */
  @FunctionalInterface
  public interface Progress {
    /**
     * @param done so many by now
     * @param last up to this row
     */
    void reached(long done, long last);
  }

  /**
   * Works on everything beyond the one and up to the other row.
   *
   * @param perSecond at most so many rows a second; null for as fast as it goes
   * @return how many there were
   * @throws InterruptedException when interrupted between two transactions
   */
  public static long run(
      long beyond, long upTo, @Nullable Integer perSecond, Progress progress, Step step)
      throws SQLException, InterruptedException {
    int batch = perSecond == null ? BATCH : Math.max(1, Math.min(BATCH, perSecond / 4));
    long started = System.nanoTime();
    long done = 0;
    long reached = beyond;
    while (reached < upTo) {
      Batch taken = step.take(new Range(reached, upTo, batch));
      if (taken.count() == 0) {
        break;
      }
      done += taken.count();
      reached = taken.last();
      progress.reached(done, reached);
      if (perSecond != null) {
        long due = started + done * Duration.ofSeconds(1).toNanos() / perSecond;
        TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
      }
    }
    return done;
  }
}
