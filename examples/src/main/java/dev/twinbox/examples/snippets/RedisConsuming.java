package dev.twinbox.examples.snippets;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.redis.RedisInbox;
import redis.clients.jedis.UnifiedJedis;

/** Snippets of docs/inbox-redis.md. */
public final class RedisConsuming {
  private RedisConsuming() {}

  interface Mail {
    void send(Delivery delivery, long fence);
  }

  static Receiver balances(UnifiedJedis client) {
    // docs: redis-exactly-once
    RedisInbox inbox = RedisInbox.builder().client(client).consumer("billing").build();

    Receiver receiver =
        inbox.exactlyOnceInRedis(
            (delivery, work) ->
                work.commands().call("HINCRBY", "balances", String.valueOf(delivery.key()), "5"));
    // docs: end
    return receiver;
  }

  static Receiver mails(RedisInbox inbox, Mail mail) {
    // docs: redis-at-least-once
    Receiver receiver = inbox.atLeastOnce((delivery, work) -> mail.send(delivery, work.fence()));
    // docs: end
    return receiver;
  }
}
