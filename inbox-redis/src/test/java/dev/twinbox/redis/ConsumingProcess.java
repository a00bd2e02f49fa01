package dev.twinbox.redis;

import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import redis.clients.jedis.UnifiedJedis;

/**
 * A consumer in a process of its own: takes numbers of messages from its own share, again from the
 * beginning after each start, until all are settled. Each effect is counted in Redis, and written
 * with its token to a file, which is elsewhere.
 */
final class ConsumingProcess {
  static final String CONSUMER = "killed";
  static final int BATCH = 50;
  static final int REPEATED = 5;

  private ConsumingProcess() {}

  /** The id of a message; a UUIDv7 of the time given. */
  static String id(long base, int number) {
    return new UUID(base << 16 | 0x7000, Long.MIN_VALUE | number).toString();
  }

  /** Each message goes to one consumer, and each fifth also to the next. */
  static boolean isFor(int number, int worker, int workers) {
    return number % workers == worker
        || (number % REPEATED == 0 && (number + 1) % workers == worker);
  }

  /**
   * @param args port, base of the ids, worker, workers, messages, file
   */
  public static void main(String[] args) throws Exception {
    long base = Long.parseLong(args[1]);
    int worker = Integer.parseInt(args[2]);
    int workers = Integer.parseInt(args[3]);
    int messages = Integer.parseInt(args[4]);
    Path file = Path.of(args[5]);
    try (UnifiedJedis client = InboxFixture.client("127.0.0.1", Integer.parseInt(args[0]))) {
      Receiver receiver =
          RedisInbox.builder()
              .client(client)
              .consumer(CONSUMER)
              .lease(Duration.ofSeconds(1))
              .backoff(Backoff.exponential(Duration.ofMillis(5)).giveUpAfter(1_000))
              .build()
              .exactlyOnceInRedis((delivery, work) -> handle(delivery, work, file));
      List<Delivery> waiting = new ArrayList<>();
      for (int number = 0; number < messages; number++) {
        if (isFor(number, worker, workers)) {
          waiting.add(
              Delivery.builder().id(id(base, number)).type("t").origin("test:" + number).build());
        }
      }
      while (!waiting.isEmpty()) {
        waiting = receive(receiver, waiting);
      }
      client.sadd("finished", args[2]);
    }
  }

  private static List<Delivery> receive(Receiver receiver, List<Delivery> waiting)
      throws InterruptedException {
    List<Delivery> left = new ArrayList<>();
    for (int from = 0; from < waiting.size(); from += BATCH) {
      List<Delivery> batch = waiting.subList(from, Math.min(from + BATCH, waiting.size()));
      List<Receipt> receipts = InboxFixture.receive(receiver, batch);
      for (int i = 0; i < receipts.size(); i++) {
        if (!receipts.get(i).settled()) {
          left.add(batch.get(i).again());
        }
      }
    }
    Thread.sleep(10);
    return left;
  }

  private static void handle(Delivery delivery, RedisWork work, Path file)
      throws IOException, InterruptedException {
    Files.writeString(
        file,
        delivery.id() + " " + work.fence() + "\n",
        StandardCharsets.UTF_8,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
    Thread.sleep(2);
    work.commands().call("HINCRBY", "effects", String.valueOf(delivery.id()), "1");
  }
}
