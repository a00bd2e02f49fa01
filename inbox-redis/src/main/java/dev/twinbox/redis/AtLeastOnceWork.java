package dev.twinbox.redis;

/**
 * What a handler gets whose effects are elsewhere than in Redis. They happen at least once: a
 * process that dies after an effect and before its record has been written has the message handled
 * once more, and so does an owner that was frozen for longer than its lease.
 */
public interface AtLeastOnceWork {
  /**
   * The fencing token: it rises each time somebody takes the message, also when its record was lost
   * meanwhile. Hand it on to a service that refuses what comes with a lower one than it has seen,
   * and a stale owner does no harm there.
   */
  long fence();
}
