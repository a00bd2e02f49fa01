package dev.twinbox.examples.soak;

import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.cli.CommandException;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.rabbitmq.consumer.RabbitInboxConsumer;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRabbit;
import dev.twinbox.testkit.TestRabbitCluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * RabbitMQ with a quorum queue for the consumers and, bound to the same exchange, a second one that
 * nobody consumes and that so holds everything that was ever published. It is no stream, because a
 * stream forgets what it has confirmed when its node is killed.
 */
final class RabbitSoak implements SoakBroker {
  private static final String EXCHANGE = "soak";
  private static final String QUEUE = "soak";
  private static final String RECORD = "soak-record";
  private static final String DEAD = "soak-dead";

  /** Each kill of a consumer counts a delivery; the queue shall never give a message up. */
  private static final int DELIVERY_LIMIT = 100_000;

  private final List<TestRabbit> nodes;
  private final AutoCloseable all;
  private final Map<String, List<FaultProxy>> proxies = new HashMap<>();
  private @Nullable Path record;

  private RabbitSoak(List<TestRabbit> nodes, AutoCloseable all) {
    this.nodes = nodes;
    this.all = all;
  }

  static SoakBroker start(List<String> processes, int size) {
    RabbitSoak started = size == 1 ? single() : cluster(size);
    for (String process : processes) {
      started.proxies.put(
          process,
          started.nodes.stream().map(node -> FaultProxy.to(node.host(), node.port())).toList());
    }
    started.declare();
    return started;
  }

  private static RabbitSoak single() {
    if (System.getenv("TWINBOX_RABBITMQ") != null) {
      throw new CommandException(
          "The soak kills its broker, and the node that TWINBOX_RABBITMQ names is not its own."
              + " Unset the variable, so that a private node is started.");
    }
    TestRabbit node = orExplain(TestRabbit::start);
    return new RabbitSoak(List.of(node), node);
  }

  private static RabbitSoak cluster(int size) {
    TestRabbitCluster cluster = orExplain(() -> TestRabbitCluster.start(size));
    return new RabbitSoak(IntStream.range(0, size).mapToObj(cluster::node).toList(), cluster);
  }

  private static <T> T orExplain(java.util.function.Supplier<T> start) {
    try {
      return start.get();
    } catch (IllegalStateException e) {
      throw new CommandException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
    }
  }

  private void declare() {
    onChannel(
        channel -> {
          channel.exchangeDeclare(EXCHANGE, BuiltinExchangeType.TOPIC, true);
          channel.queueDeclare(DEAD, true, false, false, Map.of("x-queue-type", "quorum"));
          channel.queueDeclare(
              QUEUE,
              true,
              false,
              false,
              Map.of(
                  "x-queue-type", "quorum",
                  "x-single-active-consumer", true,
                  "x-overflow", "reject-publish",
                  "x-delivery-limit", DELIVERY_LIMIT,
                  "x-dead-letter-exchange", "",
                  "x-dead-letter-routing-key", DEAD,
                  "x-dead-letter-strategy", "at-least-once"));
          channel.queueDeclare(RECORD, true, false, false, Map.of("x-queue-type", "quorum"));
          channel.queueBind(QUEUE, EXCHANGE, "#");
          return channel.queueBind(RECORD, EXCHANGE, "#");
        });
  }

  /** A consumer in a process of its own, as {@link #consumerValues} tell it. */
  static AutoCloseable consume(Assignment assignment, Inbox inbox, Handler handler) {
    return RabbitInboxConsumer.builder()
        .inbox(inbox)
        .handler(handler)
        .queue(assignment.get("QUEUE"))
        .connectionFactory(new ConnectionFactory())
        .addresses(assignment.get("ADDRESSES"))
        .prefetch(4 * SoakConsumer.BATCH)
        .batchSize(SoakConsumer.BATCH)
        .build()
        .start();
  }

  @Override
  public String destination() {
    return "rabbitmq:" + EXCHANGE + "/event";
  }

  @Override
  public String lanes() {
    return "rabbitmq";
  }

  @Override
  public Map<String, String> relayEnvironment(String process) {
    return nodes.size() == 1
        ? Map.of("TWINBOX_RABBITMQ_URI", "amqp://guest:guest@" + addresses(process))
        : Map.of("TWINBOX_RABBITMQ_ADDRESSES", addresses(process));
  }

  @Override
  public Map<String, String> consumerValues(String process) {
    return Map.of("QUEUE", QUEUE, "ADDRESSES", addresses(process));
  }

  private String addresses(String process) {
    return proxies(process).stream()
        .map(proxy -> "127.0.0.1:" + proxy.port())
        .collect(Collectors.joining(","));
  }

  @Override
  public List<FaultProxy> proxies(String process) {
    return proxies.getOrDefault(process, List.of());
  }

  @Override
  public int nodes() {
    return nodes.size();
  }

  @Override
  public void kill(int node) {
    nodes.get(node).kill();
  }

  @Override
  public void restart(int node) {
    nodes.get(node).restart();
  }

  @Override
  public void pause(int node) {
    nodes.get(node).pause();
  }

  @Override
  public void resume(int node) {
    nodes.get(node).resume();
  }

  /** One node's alarm blocks publishers on all. */
  @Override
  public void raiseAlarm() {
    nodes.get(0).raiseMemoryAlarm();
  }

  @Override
  public void clearAlarm() {
    nodes.get(0).clearMemoryAlarm();
  }

  @Override
  public long unacknowledged() {
    return onChannel(channel -> channel.messageCount(QUEUE));
  }

  @Override
  public long setAside() {
    return onChannel(channel -> channel.messageCount(DEAD));
  }

  /**
   * The broker keeps no time of publication. A message cannot have been published before one that
   * lies before it was enqueued, so that is the time, as its id says it.
   */
  @Override
  public void read(Consumer<Entry> reader) {
    Instant latest = Instant.EPOCH;
    try (BufferedReader ids = Files.newBufferedReader(takenRecord())) {
      int place = 0;
      for (String line = ids.readLine(); line != null; line = ids.readLine()) {
        UUID id = UUID.fromString(line);
        Instant enqueued = Instant.ofEpochMilli(id.getMostSignificantBits() >>> 16);
        latest = enqueued.isAfter(latest) ? enqueued : latest;
        reader.accept(new Entry(id, latest, Integer.toString(++place)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("The record cannot be read", e);
    }
  }

  /** The record's ids, one a line. Taken from the queue once: reading a queue empties it. */
  private synchronized Path takenRecord() throws IOException {
    Path taken = record;
    if (taken == null) {
      Path file = Files.createTempFile("twinbox-soak-record-", ".txt");
      file.toFile().deleteOnExit();
      try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file))) {
        onChannel(
            channel -> {
              QueueReading.drain(channel, RECORD, out::println);
              return file;
            });
      }
      record = file;
      taken = file;
    }
    return taken;
  }

  @Override
  public void saveLogs(Path folder) {
    nodes.forEach(node -> node.saveLogs(folder));
  }

  @Override
  public void close() {
    proxies.values().forEach(each -> each.forEach(FaultProxy::close));
    try {
      all.close();
    } catch (Exception e) {
      throw new IllegalStateException("RabbitMQ did not end", e);
    }
  }

  private interface Work<T> {
    T on(Channel channel) throws IOException, TimeoutException, InterruptedException;
  }

  private <T> T onChannel(Work<T> work) {
    try (Connection connection = nodes.get(0).connectionFactory().newConnection("soak");
        Channel channel = connection.createChannel()) {
      return work.on(channel);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failed(e);
    } catch (IOException | TimeoutException e) {
      throw failed(e);
    }
  }

  private static IllegalStateException failed(Exception e) {
    return new IllegalStateException("RabbitMQ did not do what the soak asked for", e);
  }
}
