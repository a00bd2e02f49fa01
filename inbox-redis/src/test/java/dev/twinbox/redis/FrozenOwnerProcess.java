package dev.twinbox.redis;

import dev.twinbox.inbox.Delivery;
import java.time.Duration;
import redis.clients.jedis.UnifiedJedis;

/** Handles messages one after another, and in each of them waits to be told to go on. */
final class FrozenOwnerProcess {
  private FrozenOwnerProcess() {}

  /**
   * @param args port, consumer, then the ids of messages
   */
  public static void main(String[] args) {
    try (UnifiedJedis client = InboxFixture.client("127.0.0.1", Integer.parseInt(args[0]))) {
      var receiver =
          RedisInbox.builder()
              .client(client)
              .consumer(args[1])
              .lease(Duration.ofSeconds(1))
              .build()
              .exactlyOnceInRedis(
                  (delivery, work) -> {
                    work.commands().call("HINCRBY", "effects", String.valueOf(delivery.id()), "1");
                    client.set("began:" + delivery.id(), String.valueOf(work.fence()));
                    while (client.get("go:" + delivery.id()) == null) {
                      Thread.sleep(10);
                    }
                  });
      for (int i = 2; i < args.length; i++) {
        Delivery delivery = Delivery.builder().id(args[i]).type("t").origin("test:" + i).build();
        client.set(
            "receipt:" + args[i],
            InboxFixture.receive(receiver, delivery).getClass().getSimpleName());
      }
    }
  }
}
