package dev.twinbox.redis;

import dev.twinbox.inbox.AdmissionTerms;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What Redis said about this consumer and its own clock, a moment ago. Times are milliseconds since
 * 1970.
 *
 * @param redisTime Redis' clock when it was asked
 * @param since when the consumer was registered: before, it has processed nothing
 * @param horizon for how long each of its records was kept, at least
 * @param seen the latest time that Redis has ever told
 * @param sampledAt {@link System#nanoTime()} of that moment
 */
record RedisTerms(long redisTime, long since, long horizon, long seen, long sampledAt)
    implements AdmissionTerms {
  private static final long FRESH_MILLIS = 30_000;

  static RedisTerms of(Object answer) {
    List<?> words = (List<?>) answer;
    return new RedisTerms(
        number(words, 0), number(words, 1), number(words, 2), number(words, 3), System.nanoTime());
  }

  private static long number(List<?> words, int i) {
    return Long.parseLong(RedisServer.text(words.get(i)));
  }

  boolean isFresh() {
    return age() < FRESH_MILLIS;
  }

  @Override
  public long now() {
    return redisTime + age();
  }

  /** Every id stands for itself: a record is kept from when it was processed, whatever its time. */
  @Override
  public long keptFrom() {
    return Long.MIN_VALUE;
  }

  /**
   * A record is dropped a horizon after its message was processed. So an id that is older can have
   * been processed and forgotten, unless the consumer itself is younger than that. By the earlier
   * of two clocks: a Redis that is ahead makes nothing old.
   */
  @Override
  public boolean refuses(long idTime) {
    long now = Math.min(now(), System.currentTimeMillis());
    return idTime < now - horizon && now >= since + horizon;
  }

  private long age() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sampledAt);
  }
}
