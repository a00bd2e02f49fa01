package dev.twinbox.redis;

/**
 * What a handler gets whose effects are in Redis: the commands that it hands over take effect once,
 * together with the record of the message's id, or not at all.
 */
public interface RedisWork extends AtLeastOnceWork {
  /** The commands to be executed with the record. What is written by other ways is not guarded. */
  RedisCommands commands();
}
