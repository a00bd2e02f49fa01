package dev.twinbox.redis;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.UnprocessableException;

/**
 * What a message makes happen. What its work is says how often: see {@link
 * RedisInbox#exactlyOnceInRedis} and {@link RedisInbox#atLeastOnce}.
 *
 * @param <W> {@link RedisWork} or {@link AtLeastOnceWork}
 */
@FunctionalInterface
public interface MessageHandler<W extends AtLeastOnceWork> {
  /**
   * Handles one message. It may run more than once for a message.
   *
   * @throws UnprocessableException when no retry can help: the message is quarantined at once
   * @throws Exception anything else is a failure; the message is tried again later, and quarantined
   *     after its last attempt
   */
  void handle(Delivery delivery, W work) throws Exception;
}
