package dev.twinbox.redis;

import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.inbox.Admission;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Receiver;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.UnifiedJedis;

/**
 * An inbox whose records are in Redis, for consumers whose effects are not in PostgreSQL.
 *
 * <p>Effects in Redis that a handler hands over are executed with the record of the message's id by
 * one script, once per consumer name: see {@link #exactlyOnceInRedis}. Effects elsewhere happen at
 * least once: see {@link #atLeastOnce}. Both hold for as long as records are kept, 7 days by
 * default, and as far as Redis keeps what it has confirmed: an eviction, or a failover to a replica
 * that lacks the newest writes, loses records and effects. docs/inbox-redis.md says what that does.
 *
 * <p>An id is taken with a fencing token that rises with each taking, under a lease by Redis' clock
 * that is renewed while its handler runs. Redis 6.2 and newer, Valkey; alone, behind Sentinel or as
 * a Cluster. Thread-safe. Asks Redis for the first time at the first delivery.
 */
public final class RedisInbox {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");
  private static final Duration MARGIN = Duration.ofHours(1);

  private final RedisServer server;
  private final RedisKeys keys;
  private final RedisRecords records;
  private final LeaseKeeper leases;
  private final RedisQuarantine quarantine;
  private final Admission admission;
  private final Backoff backoff;
  private final boolean mayOvertake;
  private final Duration handlerTimeLimit;
  private final Duration horizon;
  private volatile @Nullable RedisTerms terms;

  private RedisInbox(UnifiedJedis client, String consumer, Builder builder) {
    server = new RedisServer(client, builder.replicas, builder.replicasLimit.toMillis());
    keys = new RedisKeys(builder.prefix, consumer, builder.hashTagFor(client));
    // Longer than the horizon, by which ids are refused: a message judged just before is recorded.
    records = new RedisRecords(server, keys, builder.lease, builder.horizon.plus(MARGIN));
    leases = new LeaseKeeper(records, builder.lease);
    quarantine = new RedisQuarantine(server, keys);
    admission = new Admission(builder.expectedDestinations);
    backoff = builder.backoff;
    mayOvertake = builder.mayOvertake;
    handlerTimeLimit = builder.handlerTimeLimit;
    horizon = builder.horizon;
  }

  /** Starts the description of an inbox. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * A receiver for the consumers of all brokers. What the handler hands over by {@link
   * RedisWork#commands()} takes effect exactly once: it is executed together with the record, under
   * the token, so that a stale owner changes nothing.
   */
  public Receiver exactlyOnceInRedis(MessageHandler<RedisWork> handler) {
    return new RedisReceiver(this, handler);
  }

  /**
   * A receiver for the consumers of all brokers. The record is written when the handler has
   * returned; with a batch, when the batch's last one has. Effects happen at least once: again
   * where a process dies in between.
   */
  public Receiver atLeastOnce(MessageHandler<AtLeastOnceWork> handler) {
    return new RedisReceiver(
        this, (delivery, work) -> handler.handle(delivery, new Fence(work.fence())));
  }

  private record Fence(long fence) implements AtLeastOnceWork {}

  /** What was put aside, for operators. */
  public RedisQuarantine quarantine() {
    return quarantine;
  }

  /** The consumer's name. */
  public String consumer() {
    return keys.consumer();
  }

  /**
   * Looks for settings of Redis by which records could be lost. Changes nothing and throws nothing:
   * what cannot be reached is a finding. In a Cluster it looks at the node that has the consumer's
   * quarantine.
   */
  public Diagnosis examine() {
    return new Diagnosis(new RedisExamination(server.client(), keys).examine());
  }

  RedisTerms terms() {
    RedisTerms present = terms;
    return present == null || !present.isFresh() ? register() : present;
  }

  /** Asks Redis, and waits for its replicas where that is wanted. */
  private RedisTerms register() {
    try {
      RedisTerms asked =
          RedisTerms.of(
              server
                  .runAndWait(
                      "The consumer was not registered",
                      Script.REGISTER,
                      List.of(
                          new RedisServer.Call(
                              List.of(keys.consumerRow()),
                              List.of(RedisServer.bytes(horizon.toMillis())))))
                  .get(0));
      terms = asked;
      return asked;
    } catch (DatabaseUnavailableException e) {
      terms = null;
      throw e;
    }
  }

  /**
   * Waits until replicas have what Redis has, where that is wanted: what is found to be processed
   * may be what an earlier batch waited for in vain. WAIT covers what its connection has written.
   */
  void confirmDuplicates() {
    if (server.replicas() > 0) {
      register();
    }
  }

  RedisKeys keys() {
    return keys;
  }

  RedisRecords records() {
    return records;
  }

  LeaseKeeper leases() {
    return leases;
  }

  Admission admission() {
    return admission;
  }

  Backoff backoff() {
    return backoff;
  }

  boolean mayOvertake() {
    return mayOvertake;
  }

  Duration handlerTimeLimit() {
    return handlerTimeLimit;
  }

  /** Describes an inbox; not thread-safe. */
  public static final class Builder {
    private @Nullable UnifiedJedis client;
    private @Nullable String consumer;
    private String prefix = "twinbox";
    private Backoff backoff = Backoff.exponential(Duration.ofSeconds(1));
    private Duration handlerTimeLimit = Duration.ofMinutes(5);
    private Duration horizon = Duration.ofDays(7);
    private Duration lease = Duration.ofSeconds(30);
    private boolean mayOvertake;
    private @Nullable Function<Delivery, @Nullable String> hashTag;
    private int replicas;
    private Duration replicasLimit = Duration.ZERO;
    private final Set<String> expectedDestinations = new LinkedHashSet<>();

    private Builder() {}

    /**
     * Jedis' client, which stays the caller's to close: {@code RedisClient}, {@code
     * RedisSentinelClient} or {@code RedisClusterClient}. Required.
     */
    public Builder client(UnifiedJedis jedis) {
      client = jedis;
      return this;
    }

    /**
     * The name under which ids are recorded: 1 to 100 letters, digits, dots, hyphens and
     * underscores. All instances of a service share one; never change it. Required.
     */
    public Builder consumer(String name) {
      consumer = name;
      return this;
    }

    /** What the names of all keys begin with. Default {@code twinbox}. */
    public Builder prefix(String text) {
      prefix = checkedName("prefix", text);
      return this;
    }

    /** As {@link dev.twinbox.inbox.Inbox.Builder#backoff}, with the same default. */
    public Builder backoff(Backoff policy) {
      backoff = policy;
      return this;
    }

    /**
     * How long a handler may take. Beyond that its consumer interrupts it, which counts as a
     * failure. Default 5 minutes.
     */
    public Builder handlerTimeLimit(Duration limit) {
      handlerTimeLimit = limit;
      return this;
    }

    /**
     * For how long redelivered messages are recognised; older ones are refused. At least a minute,
     * default 7 days. Each message takes some 150 bytes for so long and an hour more.
     */
    public Builder horizon(Duration duration) {
      horizon = between("horizon", duration, Duration.ofMinutes(1), Duration.ofDays(3650));
      return this;
    }

    /**
     * How long a message waits for an owner that died or is frozen. Renewed while handlers run. 1
     * second to 1 hour, default 30 seconds.
     */
    public Builder lease(Duration duration) {
      lease = between("lease", duration, Duration.ofSeconds(1), Duration.ofHours(1));
      return this;
    }

    /** As {@link dev.twinbox.inbox.Inbox.Builder#expectDestinations}. */
    public Builder expectDestinations(String... destinations) {
      expectedDestinations.addAll(Arrays.asList(destinations));
      return this;
    }

    /** As {@link dev.twinbox.inbox.Inbox.Builder#mayOvertake}. */
    public Builder mayOvertake() {
      mayOvertake = true;
      return this;
    }

    /**
     * In a Cluster: the hash tag of the keys that a delivery's handler writes, so that its record
     * lies in the same slot. Messages of one ordering key need one tag. The same for each
     * redelivery. Null for none. Default in a Cluster: the delivery's key, and records of messages
     * without a key are spread: their handlers can hand over no commands.
     */
    public Builder hashTag(Function<Delivery, @Nullable String> tag) {
      hashTag = tag;
      return this;
    }

    /**
     * Has each batch's end wait until so many replicas have it in memory. This makes it unlikely,
     * not impossible, that a failover loses it: the replica that is promoted can be another one.
     * Where too few confirm in time the batch is not acknowledged, and is recognised when it comes
     * again. Not in a Cluster. Default 0.
     */
    public Builder waitForReplicas(int count, Duration limit) {
      replicas = count;
      replicasLimit = limit;
      return this;
    }

    /**
     * Makes the inbox; nothing is asked of Redis yet.
     *
     * @throws IllegalArgumentException when something required is missing or not accepted
     */
    public RedisInbox build() {
      UnifiedJedis jedis = client;
      String name = consumer;
      if (jedis == null) {
        throw new IllegalArgumentException("An inbox needs client(...).");
      }
      if (name == null) {
        throw new IllegalArgumentException(
            "An inbox needs consumer(...), the name under which ids are recorded.");
      }
      if (replicas > 0 && jedis instanceof RedisClusterClient) {
        throw new IllegalArgumentException(
            "waitForReplicas is %s; in a Cluster a batch has several nodes. Leave it out."
                .formatted(replicas));
      }
      return new RedisInbox(jedis, checkedName("consumer", name), this);
    }

    private @Nullable Function<Delivery, @Nullable String> hashTagFor(UnifiedJedis jedis) {
      return hashTag == null && jedis instanceof RedisClusterClient
          ? delivery -> RedisKeys.tag(delivery.key())
          : hashTag;
    }

    private static String checkedName(String what, String name) {
      if (!NAME.matcher(name).matches()) {
        throw new IllegalArgumentException(
            "%s is '%s'; choose 1 to 100 letters, digits, dots, hyphens and underscores."
                .formatted(what, name));
      }
      return name;
    }

    private static Duration between(String what, Duration value, Duration least, Duration most) {
      if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
        throw new IllegalArgumentException(
            "%s is %s; choose %s to %s.".formatted(what, value, least, most));
      }
      return value;
    }
  }
}
