package dev.twinbox.examples.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.examples.demo.Shop.OrderPlaced;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.redis.HandlersByType;
import dev.twinbox.redis.RedisInbox;
import dev.twinbox.redis.RedisWork;
import dev.twinbox.testkit.TestRedis;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import redis.clients.jedis.RedisClient;

/** Balances in Redis, changed by the script that records the message. */
final class RedisBilling implements Billing {
  private static final String CENTS = "billing:cents";
  private static final String ORDERS = "billing:orders";
  private static final String EFFECTS = "billing:effects";
  private static final int PAGE = 10_000;

  private final ObjectMapper json = JsonMapper.builder().build();
  private final TestRedis server;
  private final RedisClient client;
  private final RedisInbox inbox;

  private RedisBilling(TestRedis server) {
    this.server = server;
    client = RedisClient.create(server.uri());
    inbox = RedisInbox.builder().client(client).consumer(CONSUMER).build();
  }

  /** Starts a server of its own. */
  static RedisBilling start() {
    return new RedisBilling(TestRedis.start());
  }

  @Override
  public Receiver receiver() {
    return inbox.exactlyOnceInRedis(
        HandlersByType.<RedisWork>builder().on("order.placed", this::apply).build());
  }

  private void apply(Delivery delivery, RedisWork work) throws IOException {
    OrderPlaced order = json.readValue(delivery.payload(), OrderPlaced.class);
    String customer = Integer.toString(order.customer());
    work.commands()
        .call("HINCRBY", CENTS, customer, Long.toString(order.cents()))
        .call("HINCRBY", ORDERS, customer, "1")
        .call("RPUSH", EFFECTS, Objects.requireNonNull(delivery.id()));
  }

  @Override
  public long applied() {
    return client.hvals(ORDERS).stream().mapToLong(Long::parseLong).sum();
  }

  @Override
  public void effects(Consumer<UUID> reader) {
    List<String> page;
    for (long from = 0; !(page = client.lrange(EFFECTS, from, from + PAGE - 1)).isEmpty(); ) {
      page.forEach(id -> reader.accept(UUID.fromString(id)));
      from += page.size();
    }
  }

  @Override
  public String effectsAt() {
    return "entries of the list " + EFFECTS;
  }

  @Override
  public Map<Integer, Balance> balances() {
    Map<String, String> cents = client.hgetAll(CENTS);
    Map<Integer, Balance> balances = new HashMap<>();
    client
        .hgetAll(ORDERS)
        .forEach(
            (customer, orders) ->
                balances.put(
                    Integer.valueOf(customer),
                    new Balance(
                        Long.parseLong(cents.getOrDefault(customer, "0")),
                        Long.parseLong(orders))));
    return balances;
  }

  @Override
  public String howToConnect() {
    return "redis-cli -u " + server.uri();
  }

  @Override
  public void close() {
    client.close();
    server.close();
  }
}
