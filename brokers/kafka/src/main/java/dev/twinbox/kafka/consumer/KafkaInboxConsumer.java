package dev.twinbox.kafka.consumer;

import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.inbox.BackgroundWork;
import dev.twinbox.inbox.ConsumerLag;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.doctor.StartGate;
import dev.twinbox.kafka.doctor.TopicNeeds;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Brings the records of Kafka topics to a handler, each once.
 *
 * <p>Offsets are committed after the database's commit and only for partitions that are still
 * owned, so a crash repeats deliveries, which the {@link Inbox} recognises. Records of a partition
 * are handled in order. One that fails holds its partition, tried again by the inbox's backoff,
 * while other partitions go on; once it is quarantined its partition goes on, too. (Where messages
 * may overtake, the partition goes on meanwhile; see {@link Inbox.Builder#mayOvertake}.) While the
 * database is away nothing is taken, and consumption resumes by itself.
 *
 * <p>Thread-safe. Kafka and the database may be away when it is started.
 */
public final class KafkaInboxConsumer implements ConsumerLag, AutoCloseable {
  private final List<GroupMember> members = new ArrayList<>();
  private final BackgroundWork background;
  private final StartGate gate;
  private final ClusterClient client;
  private final Duration closeLimit;
  private boolean started;
  private boolean closed;

  private KafkaInboxConsumer(Receiver receiver, Builder builder) {
    KafkaProperties properties =
        new KafkaProperties(builder.properties, builder.batchSize, builder.maySkipMessages);
    gate = gate(receiver, properties, builder);
    client = new ClusterClient(properties.forConsumer(1, 1));
    TopicIds ids = new TopicIds(client, builder.topics);
    for (int number = 1; number <= builder.concurrency; number++) {
      members.add(
          new GroupMember(
              "twinbox-inbox-%s-kafka-%s".formatted(receiver.consumer(), number),
              receiver,
              properties,
              properties.forConsumer(number, builder.concurrency),
              List.copyOf(builder.topics),
              builder.revokeLimit,
              gate,
              client,
              ids));
    }
    closeLimit = builder.closeLimit;
    background = receiver.backgroundWork();
  }

  private static StartGate gate(Receiver receiver, KafkaProperties properties, Builder builder) {
    String who = "Consumer " + receiver.consumer();
    if (builder.development) {
      return StartGate.unguarded(who);
    }
    List<String> topics = List.copyOf(builder.topics);
    return new StartGate(
        who,
        () -> {
          List<Finding> findings = new ArrayList<>(receiver.examine().findings());
          findings.addAll(
              properties.examine(topics, receiver.keptFor().orElse(TopicNeeds.DEFAULTS.horizon())));
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
   * @throws IllegalStateException when it was started before
   */
  public synchronized KafkaInboxConsumer start() {
    if (started) {
      throw new IllegalStateException("The consumer was started before; make a new one.");
    }
    gate.refuseUnsafe();
    started = true;
    try {
      background.start();
      members.forEach(GroupMember::start);
    } catch (RuntimeException | Error e) { // such as a lack of threads: all of it or nothing
      close();
      throw e;
    }
    return this;
  }

  /** By partition, from what Kafka said with the last records; those that this instance holds. */
  @Override
  public Map<String, Long> lag() {
    Map<String, Long> lag = new HashMap<>();
    members.forEach(member -> lag.putAll(member.lag().lag()));
    return lag;
  }

  /** By partition, as of those that this instance holds. */
  @Override
  public Map<String, Long> withheld() {
    Map<String, Long> withheld = new HashMap<>();
    members.forEach(member -> withheld.putAll(member.lag().withheld()));
    return withheld;
  }

  /** An open transaction of another producer is one: records behind it are not delivered. */
  @Override
  public Map<String, String> causes() {
    Map<String, String> causes = new HashMap<>();
    withheld().forEach((partition, records) -> causes.put(partition, MemberLag.cause(records)));
    return causes;
  }

  /** Stops taking, finishes the batches in work, commits their offsets and leaves the group. */
  @Override
  public synchronized void close() {
    if (!started || closed) {
      closed = true;
      return;
    }
    closed = true;
    background.stop();
    long deadline = System.nanoTime() + closeLimit.toNanos();
    members.forEach(member -> member.stop(deadline));
    try {
      for (GroupMember member : members) {
        member.awaitEnd(deadline);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    background.close(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    client.close();
  }

  /** Describes a consumer; not thread-safe. */
  public static final class Builder {
    private @Nullable Receiver receiver;
    private @Nullable Inbox inbox;
    private @Nullable Handler handler;
    private final Set<String> topics = new LinkedHashSet<>();
    private final Map<String, Object> properties = new HashMap<>();
    private int concurrency = 1;
    private int batchSize = 500;
    private boolean maySkipMessages;
    private boolean development;
    private Duration revokeLimit = Duration.ofSeconds(10);
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

    /** Topics to subscribe to; at least one. */
    public Builder topics(String... names) {
      topics.addAll(List.of(names));
      return this;
    }

    /**
     * Kafka's own consumer properties; {@code bootstrap.servers} and {@code group.id} are required.
     * Those that would break a guarantee are refused by {@link #build}.
     */
    public Builder properties(Map<String, ?> values) {
      properties.putAll(values);
      return this;
    }

    /** One of Kafka's own consumer properties. */
    public Builder property(String name, Object value) {
      properties.put(name, value);
      return this;
    }

    /** How many members this instance adds to the group, each with two threads. Default 1. */
    public Builder concurrency(int consumers) {
      concurrency = atLeastOne("concurrency", consumers);
      return this;
    }

    /** The most records in one transaction. A poll takes as many, at least 100. Default 500. */
    public Builder batchSize(int records) {
      batchSize = atLeastOne("batchSize", records);
      return this;
    }

    /**
     * Allows {@code auto.offset.reset} to be {@code latest} or a duration: a group without valid
     * offsets then skips what the topic holds. Default: refused.
     */
    public Builder maySkipMessages() {
      maySkipMessages = true;
      return this;
    }

    /**
     * For a developer's machine: consumes also where messages could be lost, as with topics on one
     * broker. Default: off, so that {@link KafkaInboxConsumer#start} refuses that.
     */
    public Builder development() {
      development = true;
      return this;
    }

    /**
     * How long a rebalance waits for the batch in work of a revoked partition; keep it below {@code
     * max.poll.interval.ms}. Beyond it the batch is left to the partition's next owner too, and one
     * of the two is recognised as a duplicate. Default 10 s.
     */
    public Builder revokeLimit(Duration limit) {
      revokeLimit = limit;
      return this;
    }

    /** How long {@link KafkaInboxConsumer#close} waits for batches in work. Default 30 s. */
    public Builder closeLimit(Duration limit) {
      closeLimit = limit;
      return this;
    }

    /**
     * Makes the consumer; nothing is asked of Kafka or the database yet.
     *
     * @throws IllegalArgumentException when something required is missing, or a property refused
     */
    public KafkaInboxConsumer build() {
      Receiver required = receiver;
      if (required == null && inbox != null && handler != null) {
        required = inbox.receiver(handler);
      }
      if (required == null || topics.isEmpty()) {
        throw new IllegalArgumentException(
            "A Kafka consumer needs receiver(...), or inbox(...) and handler(...), and"
                + " topics(...).");
      }
      return new KafkaInboxConsumer(required, this);
    }

    private static int atLeastOne(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException("%s is %s; choose at least 1.".formatted(name, value));
      }
      return value;
    }
  }
}
