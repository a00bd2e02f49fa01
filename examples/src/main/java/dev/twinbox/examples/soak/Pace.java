package dev.twinbox.examples.soak;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Spreads the messages over the time: lets as many be written as are due and not committed yet, by
 * whichever process. What a fault has kept from being written is made up for later. It goes on
 * beyond the planned time: faults that are late have to hit work, too.
 */
final class Pace implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(Pace.class);
  private static final int LOOK_EVERY_MILLIS = 100;

  private final Assignment assignment;
  private final long messages;
  private final long startMillis;
  private final long durationMillis;
  private final int producers;
  private final Semaphore due = new Semaphore(0);

  Pace(Assignment assignment) {
    this.assignment = assignment;
    messages = assignment.number("MESSAGES");
    startMillis = assignment.number("START");
    durationMillis = assignment.number("DURATION");
    producers = (int) assignment.number("PRODUCERS");
  }

  /** Waits until another message is due. */
  void await() throws InterruptedException {
    due.acquire();
  }

  @Override
  public void run() {
    while (true) {
      try (Connection connection =
              DriverManager.getConnection(assignment.databaseUrl(), assignment.role(), "");
          Statement statement = connection.createStatement()) {
        while (true) {
          look(statement);
          TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
        }
      } catch (SQLException e) {
        log.warn("The pace is not known: {}", e.getMessage());
        pause();
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void look(Statement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery("select sum(last) from soak.chain")) {
      row.next();
      long elapsed = System.currentTimeMillis() - startMillis;
      long wanted = messages * elapsed / durationMillis - row.getLong(1);
      due.drainPermits();
      if (wanted > 0) {
        due.release((int) Math.min(10_000, (wanted + producers - 1) / producers));
      }
    }
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
