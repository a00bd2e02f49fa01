package dev.twinbox.kafka.publisher;

import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * What time records are stamped with. Brokers refuse times that are far from theirs, and it cannot
 * be known beforehand whose clock is right: the database's goes first, since it serves all relays;
 * when a broker refuses that, this machine's own is tried next, and so on by turns. Thread-safe.
 */
final class PublicationTime {
  private volatile @Nullable InstantSource database;
  private volatile boolean own;

  /** Whose time one publisher uses, from its first record to its last. */
  final class Choice {
    private final boolean ownTime = own;

    /** Milliseconds since 1970; null for the client's own time, which is this machine's. */
    @Nullable Long millis() {
      InstantSource better = database;
      return better == null || ownTime ? null : Long.valueOf(better.millis());
    }

    /** A broker has refused the time: the next publisher uses the other one. */
    void refused() {
      own = !ownTime;
    }
  }

  /** Gives it the database's clock. */
  void use(InstantSource clock) {
    database = clock;
  }

  Choice choose() {
    return new Choice();
  }
}
