package dev.twinbox.redis;

import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.HandlerWatch;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.testkit.TestRedis;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;

/** An inbox of its own in a Redis, with short times. */
final class InboxFixture implements AutoCloseable {
  final UnifiedJedis client;
  final String consumer = "c-" + UUID.randomUUID();

  InboxFixture(TestRedis redis) {
    this(redis.uri());
  }

  InboxFixture(URI address) {
    client = client(address.getHost(), address.getPort());
  }

  /** One that gives up waiting for an answer after 2 seconds. */
  static UnifiedJedis client(String host, int port) {
    return RedisClient.builder()
        .hostAndPort(new HostAndPort(host, port))
        .clientConfig(DefaultJedisClientConfig.builder().timeoutMillis(2_000).build())
        .build();
  }

  RedisInbox.Builder inbox() {
    return RedisInbox.builder()
        .client(client)
        .consumer(consumer)
        .backoff(Backoff.exponential(Duration.ofMillis(5)).giveUpAfter(3));
  }

  /** Counts each message under its id. */
  Receiver counting() {
    return inbox().build().exactlyOnceInRedis(this::count);
  }

  void count(Delivery delivery, RedisWork work) {
    work.commands().call("HINCRBY", "effects", String.valueOf(delivery.id()), "1");
  }

  String effects(Delivery delivery) {
    return String.valueOf(client.hget("effects", String.valueOf(delivery.id())));
  }

  String key(Delivery delivery) {
    UUID id = UUID.fromString(String.valueOf(delivery.id()));
    return "twinbox:" + consumer + ":" + RedisKeys.name(id);
  }

  static Receipt receive(Receiver receiver, Delivery delivery) {
    return receive(receiver, List.of(delivery)).get(0);
  }

  static List<Receipt> receive(Receiver receiver, List<Delivery> deliveries) {
    return receiver.receiveAll(deliveries, new HandlerWatch(Duration.ofMinutes(5)));
  }

  @Override
  public void close() {
    client.close();
  }
}
