package dev.twinbox.rocketmq.consumer;

import dev.twinbox.broker.Supervision;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.inbox.BackgroundWork;
import dev.twinbox.inbox.ConsumerLag;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.doctor.StartGate;
import dev.twinbox.rocketmq.RocketTopic;
import dev.twinbox.rocketmq.doctor.RocketBrokerExamination;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.impl.consumer.ProcessQueue;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.exception.RemotingException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the messages of RocketMQ topics to a handler, each once.
 *
 * <p>Queues are consumed orderly: the broker locks each for one member of the group, which handles
 * its messages in order. An offset moves after the database's commit, so a crash repeats
 * deliveries, which the {@link Inbox} recognises. A message that fails holds its queue, tried again
 * by the inbox's backoff and never sent to the broker's retry topic, while other queues go on; once
 * it is quarantined its queue goes on, too. This holds also where messages may overtake. While the
 * database is away nothing is handled, and consumption resumes by itself.
 *
 * <p>A member that dies keeps its queues locked for up to a minute, by the broker's rule.
 *
 * <p>Thread-safe. Database and servers may be away when it is started.
 */
public final class RocketInboxConsumer implements ConsumerLag, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RocketInboxConsumer.class);
  private static final Duration LOOK = Duration.ofMillis(100);
  private static final Duration AGAIN = Duration.ofSeconds(1);
  private static final Duration END_LIMIT = Duration.ofMillis(500);
  private static final Duration DEFAULT_HORIZON = Duration.ofDays(7);

  private final Supplier<DefaultMQPushConsumer> clients;
  private final QueueListener listener;
  private final BackgroundWork background;
  private final StartGate gate;
  private final Duration closeLimit;
  private final ScheduledExecutorService clock =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "twinbox-inbox-rocketmq-clock");
            thread.setDaemon(true);
            return thread;
          });
  private boolean started;
  private boolean closed;

  /** Not there before its servers have answered. */
  private volatile @Nullable DefaultMQPushConsumer client;

  /** The next to be started; by one thread at a time. */
  private volatile DefaultMQPushConsumer next;

  private volatile long connectAt;

  private RocketInboxConsumer(Receiver receiver, Builder builder) {
    RocketConsumerSettings settings =
        new RocketConsumerSettings(
            receiver.consumer(), builder.properties, builder.maySkipMessages);
    gate = gate(receiver, settings, builder);
    listener = new QueueListener(receiver, gate, this::persist);
    clients = () -> client(settings, builder);
    next = clients.get();
    background = receiver.backgroundWork();
    closeLimit = builder.closeLimit;
  }

  private DefaultMQPushConsumer client(RocketConsumerSettings settings, Builder builder) {
    DefaultMQPushConsumer made = settings.consumer();
    made.setConsumeThreadMin(builder.concurrency);
    made.setConsumeThreadMax(builder.concurrency);
    made.setConsumeMessageBatchMaxSize(builder.batchSize);
    // So that a thread whose batch has just ended notes its offset before offsets are saved.
    made.setAwaitTerminationMillisWhenShutdown(END_LIMIT.toMillis());
    made.setMessageListener(listener);
    try {
      for (Map.Entry<String, String> topic : builder.topics.entrySet()) {
        made.subscribe(topic.getKey(), topic.getValue());
      }
    } catch (MQClientException e) {
      throw new IllegalArgumentException(String.valueOf(e.getErrorMessage()), e);
    }
    return made;
  }

  private static StartGate gate(
      Receiver receiver, RocketConsumerSettings settings, Builder builder) {
    String who = "Consumer " + receiver.consumer();
    if (builder.development) {
      return StartGate.unguarded(who);
    }
    List<String> topics = List.copyOf(builder.topics.keySet());
    return new StartGate(
        who,
        () -> {
          List<Finding> findings = new ArrayList<>(receiver.examine().findings());
          try (RocketBrokerExamination examination =
              new RocketBrokerExamination("rocketmq", settings.examiner())) {
            findings.addAll(
                examination.consumed(
                    settings.group(), topics, receiver.keptFor().orElse(DEFAULT_HORIZON)));
          }
          return findings;
        });
  }

  /** Starts the description of a consumer. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Refuses settings of database and topics by which messages could be lost, and begins to consume.
   * What is away is waited for a few seconds, and looked at again before anything is taken.
   *
   * @return this
   * @throws dev.twinbox.broker.doctor.UnsafeSettingsException when messages could be lost, unless
   *     {@link Builder#development()} was called
   * @throws IllegalStateException when it was started before, or the client does not start
   */
  public synchronized RocketInboxConsumer start() {
    if (started) {
      throw new IllegalStateException("The consumer was started before; make a new one.");
    }
    gate.refuseUnsafe();
    started = true;
    try {
      background.start();
      connect();
      var unused =
          clock.scheduleWithFixedDelay(
              Supervision.repeated("The clock of a RocketMQ consumer", this::tick),
              LOOK.toMillis(),
              LOOK.toMillis(),
              TimeUnit.MILLISECONDS);
      return this;
    } catch (MQClientException e) {
      close();
      throw new IllegalStateException("RocketMQ's client does not start: " + e.getMessage(), e);
    } catch (RuntimeException | Error e) { // such as a lack of threads: all of it or nothing
      close();
      throw e;
    }
  }

  /**
   * Starts the client. One whose servers do not answer gives itself up, so that another one tries
   * it a second later.
   */
  private void connect() throws MQClientException {
    DefaultMQPushConsumer made = next;
    try {
      made.start();
    } catch (MQClientException | RuntimeException e) {
      made.shutdown();
      if (!(e.getCause() instanceof RemotingException)) {
        throw e;
      }
      log.warn("RocketMQ does not answer; it is asked again in {}: {}", AGAIN, e.getMessage());
      next = clients.get();
      connectAt = System.nanoTime() + AGAIN.toNanos();
      return;
    }
    synchronized (this) {
      if (!closed) {
        client = made;
        return;
      }
    }
    made.shutdown();
  }

  private void connectAgain() {
    try {
      connect();
    } catch (MQClientException | RuntimeException e) {
      log.error("RocketMQ's client does not start; tried again in {}", AGAIN, e);
      next = clients.get();
      connectAt = System.nanoTime() + AGAIN.toNanos();
    }
  }

  /** By queue, as in {@code orders-broker-0}, for those that this instance holds. */
  @Override
  public Map<String, Long> lag() {
    Map<String, Long> lag = new HashMap<>();
    held()
        .forEach(
            (queue, buffer) ->
                lag.put(
                    "%s-%s-%s"
                        .formatted(queue.getTopic(), queue.getBrokerName(), queue.getQueueId()),
                    buffer.getMsgCount().get() + Math.max(0, buffer.getMsgAccCnt())));
    return lag;
  }

  /** Stops taking, finishes the batches in work, saves their offsets and leaves the group. */
  @Override
  public synchronized void close() {
    if (!started || closed) {
      closed = true;
      return;
    }
    closed = true;
    background.stop();
    listener.stop();
    long deadline = System.nanoTime() + closeLimit.toNanos();
    try {
      while (listener.isWorking() && System.nanoTime() - deadline < 0) {
        TimeUnit.MILLISECONDS.sleep(10);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    listener.abandon();
    clock.shutdownNow();
    DefaultMQPushConsumer running = client;
    if (running != null) {
      running.shutdown();
    }
    background.close(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
  }

  /**
   * Sends the offset up to which all is settled, so that a process that dies in this batch is given
   * it again, and not those before it.
   */
  @SuppressWarnings("deprecation") // there is no other way to an offset of one queue
  private void persist(MessageQueue queue) {
    DefaultMQPushConsumer running = client;
    if (running != null) {
      running.getDefaultMQPushConsumerImpl().getOffsetStore().persist(queue);
    }
  }

  private void tick() {
    if (client == null && System.nanoTime() - connectAt >= 0) {
      connectAgain();
    }
    listener.interruptWhatHangs();
    Map<MessageQueue, ProcessQueue> held = held();
    for (MessageQueue queue : listener.known()) {
      if (!held.containsKey(queue)) {
        listener.forget(queue);
      }
    }
  }

  @SuppressWarnings("deprecation") // there is no other way to what the client holds
  private Map<MessageQueue, ProcessQueue> held() {
    DefaultMQPushConsumer running = client;
    return running == null
        ? Map.of()
        : Map.copyOf(
            running.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable());
  }

  /** Describes a consumer; not thread-safe. */
  public static final class Builder {
    private final Map<String, String> topics = new LinkedHashMap<>();
    private final Map<String, String> properties = new HashMap<>();
    private @Nullable Receiver receiver;
    private @Nullable Inbox inbox;
    private @Nullable Handler handler;
    private int concurrency = 1;
    private int batchSize = 100;
    private boolean maySkipMessages;
    private boolean development;
    private Duration closeLimit = Duration.ofSeconds(30);

    private Builder() {}

    /**
     * Where ids are recorded and what messages make happen. Required, unless {@link #inbox} and
     * {@link #handler} are given.
     */
    public Builder receiver(Receiver value) {
      receiver = value;
      return this;
    }

    /** Where ids are recorded: short for {@link #receiver} with {@link Inbox#receiver}. */
    public Builder inbox(Inbox value) {
      inbox = value;
      return this;
    }

    /**
     * What a message makes happen; called by {@link #concurrency} threads, and by one more for what
     * is redriven. For {@link #inbox}.
     */
    public Builder handler(Handler value) {
      handler = value;
      return this;
    }

    /**
     * Topics to subscribe to, at least one: {@code orders}, or {@code orders/placed} for what has
     * that tag. All members of a group have to subscribe to the same.
     */
    public Builder topics(String... addresses) {
      for (String address : addresses) {
        RocketTopic topic = RocketTopic.parse(address);
        topics.merge(
            topic.topic(),
            topic.tag() == null ? "*" : topic.tag(),
            (one, other) -> one.equals("*") || other.equals("*") ? "*" : one + " || " + other);
      }
      return this;
    }

    /** Where the name servers are: {@code host:port;host:port}. Required. */
    public Builder nameServers(String addresses) {
      return property("namesrv.addr", addresses);
    }

    /** The consumer group. Required. */
    public Builder group(String name) {
      return property("consumer.group", name);
    }

    /**
     * The settings of RocketMQ's {@code DefaultMQPushConsumer}, by its own names or with dots in
     * them; {@code consumer.group}; and {@code access.key} with {@code secret.key} where the broker
     * asks for them. Those that would break a guarantee are refused by {@link #build}.
     */
    public Builder properties(Map<String, String> values) {
      properties.putAll(values);
      return this;
    }

    /** One of these settings. */
    public Builder property(String name, String value) {
      properties.put(name, value);
      return this;
    }

    /** How many queues are handled at a time, each by a thread. Default 1. */
    public Builder concurrency(int threads) {
      concurrency = within("concurrency", threads, 1000);
      return this;
    }

    /** The most messages in one transaction, 1024 at most. Default 100. */
    public Builder batchSize(int messages) {
      batchSize = within("batchSize", messages, 1024);
      return this;
    }

    /**
     * Allows {@code consume.from.where} to be another than the first offset: a group without
     * offsets then skips what the topic holds. Default: refused.
     */
    public Builder maySkipMessages() {
      maySkipMessages = true;
      return this;
    }

    /**
     * For a developer's machine: consumes also where messages could be lost, as with a master that
     * is alone. Default: off, so that {@link RocketInboxConsumer#start} refuses that.
     */
    public Builder development() {
      development = true;
      return this;
    }

    /** How long {@link RocketInboxConsumer#close} waits for batches in work. Default 30 s. */
    public Builder closeLimit(Duration limit) {
      closeLimit = limit;
      return this;
    }

    /**
     * Makes the consumer; nothing is asked of RocketMQ or the database yet.
     *
     * @throws IllegalArgumentException when something required is missing, or a setting refused
     */
    public RocketInboxConsumer build() {
      Receiver required = receiver;
      if (required == null && inbox != null && handler != null) {
        required = inbox.receiver(handler);
      }
      if (required == null || topics.isEmpty()) {
        throw new IllegalArgumentException(
            "A RocketMQ consumer needs receiver(...), or inbox(...) and handler(...), and"
                + " topics(...).");
      }
      return new RocketInboxConsumer(required, this);
    }

    private static int within(String name, int value, int most) {
      if (value < 1 || value > most) {
        throw new IllegalArgumentException(
            "%s is %s; choose 1 to %s.".formatted(name, value, most));
      }
      return value;
    }
  }
}
