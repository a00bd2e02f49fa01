package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.UpkeepFailures;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of duties that fail: in the log, at first and every minute, and in the database, where the
 * status finds it. Does not throw. Thread-safe.
 */
public final class Duties {
  private static final Logger log = LoggerFactory.getLogger(Duties.class);
  private static final long TELL_AGAIN_NANOS = 60_000_000_000L;

  private final UpkeepFailures failures;
  private final String relay;
  private final Map<String, Long> toldAt = new ConcurrentHashMap<>();
  private final Set<String> clean = ConcurrentHashMap.newKeySet();

  /**
   * @param failures where they are kept
   * @param relay this relay's name
   */
  public Duties(UpkeepFailures failures, String relay) {
    this.failures = failures;
    this.relay = relay;
  }

  /** The duty was not done, and is tried again. */
  void failed(String duty, Exception cause) {
    long now = System.nanoTime();
    Long told = toldAt.get(duty);
    if (told == null || now - told >= TELL_AGAIN_NANOS) {
      toldAt.put(duty, now);
      log.warn(
          "Upkeep: {} failed and is tried again: {}", duty, String.valueOf(cause.getMessage()));
    }
    log.debug("Upkeep: {} failed", duty, cause);
    clean.remove(duty);
    try {
      failures.note(duty, relay, String.valueOf(cause.getMessage()));
    } catch (SQLException e) {
      log.debug("The failure of {} was not noted", duty, e);
    }
  }

  /** The duty was done. */
  void done(String duty) {
    if (!clean.add(duty)) {
      return;
    }
    if (toldAt.remove(duty) != null) {
      log.info("Upkeep: {} is done again", duty);
    }
    try {
      failures.clear(duty);
    } catch (SQLException e) {
      clean.remove(duty);
      log.debug("The failure of {} was not cleared", duty, e);
    }
  }
}
