package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.inbox.BackgroundWork;
import dev.twinbox.inbox.ConsumerLag;
import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.doctor.StartGate;
import dev.twinbox.rabbitmq.doctor.RabbitExamination;
import dev.twinbox.rabbitmq.doctor.RabbitManagement;
import java.net.URI;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brings the messages of a RabbitMQ queue to a handler, each once.
 *
 * <p>Messages are acknowledged after the database's commit, so a crash repeats deliveries, which
 * the {@link Inbox} recognises. One that fails is tried again by the inbox's backoff and stays
 * unacknowledged; those behind it with the same key wait, others go on; keep the sum of the pauses
 * below the broker's {@code consumer_timeout}. While the database is away nothing is handled or
 * acknowledged, and consumption resumes by itself. A lost connection is made anew without end.
 *
 * <p><b>Order</b> of a key is kept if one channel at a time consumes the queue: declare it with
 * {@code x-single-active-consumer}, or give each key shard a queue. With several consumers on a
 * plain queue there is none.
 *
 * <p>Thread-safe. Broker and database may be away when it is started.
 */
public final class RabbitInboxConsumer implements ConsumerLag, AutoCloseable {
  private final RabbitSession session;
  private final BackgroundWork background;
  private final StartGate gate;
  private final Duration closeLimit;
  private boolean started;
  private boolean closed;

  private RabbitInboxConsumer(
      RabbitSession session, BackgroundWork background, StartGate gate, Duration closeLimit) {
    this.session = session;
    this.background = background;
    this.gate = gate;
    this.closeLimit = closeLimit;
  }

  /** Starts the description of a consumer. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Refuses settings of database and queue by which messages could be lost, and begins to consume.
   * A database that is away is looked at again before anything is taken.
   *
   * @return this
   * @throws dev.twinbox.broker.doctor.UnsafeSettingsException when messages could be lost, unless
   *     {@link Builder#development()} was called
   * @throws IllegalStateException when it was started before
   */
  public synchronized RabbitInboxConsumer start() {
    if (started) {
      throw new IllegalStateException("The consumer was started before; make a new one.");
    }
    gate.refuseUnsafe();
    started = true;
    try {
      background.start();
      session.start();
    } catch (RuntimeException | Error e) { // such as a lack of threads: all of it or nothing
      close();
      throw e;
    }
    return this;
  }

  /**
   * The messages that are ready in the queue, asked for every five seconds once this was called.
   */
  @Override
  public Map<String, Long> lag() {
    return session.lag();
  }

  /** Stops taking, finishes and acknowledges the batches in work; the rest goes back. */
  @Override
  public synchronized void close() {
    if (started && !closed) {
      background.stop();
      long deadline = System.nanoTime() + closeLimit.toNanos();
      session.close(deadline);
      background.close(Duration.ofNanos(Math.max(0, deadline - System.nanoTime())));
    }
    closed = true;
  }

  /** Describes a consumer; not thread-safe. */
  public static final class Builder {
    private @Nullable Receiver receiver;
    private @Nullable Inbox inbox;
    private @Nullable Handler handler;
    private @Nullable String queue;
    private @Nullable ConnectionFactory factory;
    private List<Address> addresses = List.of();
    private @Nullable String management;
    private boolean development;
    private int prefetch = 250;
    private int concurrency = 1;
    private int batchSize = 100;
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

    /** The queue, which must exist or come into being. Required. */
    public Builder queue(String name) {
      queue = name;
      return this;
    }

    /**
     * How to connect: addresses, TLS, credentials, virtual host. A copy is used, with automatic
     * recovery off, because it would acknowledge on channels that know nothing of the delivery; and
     * with a heartbeat of 10 s unless another than the client's default of 60 s is set; and without
     * limits of its own for frames and bodies, because a message that the broker has taken and the
     * client refuses would close each connection again. Bodies have the broker's limit. It reads
     * from blocking sockets, and threads of its own take the deliveries; so TLS has to be set by
     * {@code useSslProtocol} or {@code setSslContextFactory}, not for Netty or NIO alone, and a
     * class that overrides {@code newConnection} is refused. This or {@link #uri} is required.
     */
    public Builder connectionFactory(ConnectionFactory value) {
      factory = value;
      return this;
    }

    /**
     * Where to connect, for example {@code amqp://user:password@host/vhost}.
     *
     * @throws IllegalArgumentException when it is no AMQP address
     */
    public Builder uri(String address) {
      ConnectionFactory made = new ConnectionFactory();
      try {
        made.setUri(address);
        if (!isWhole(new URI(address))) {
          throw new IllegalArgumentException();
        }
      } catch (URISyntaxException | GeneralSecurityException | IllegalArgumentException e) {
        // The message of the cause could show the password.
        throw new IllegalArgumentException(
            "The address is no AMQP URI; use amqp://user:password@host:port/vhost.");
      }
      factory = made;
      return this;
    }

    /** An unescaped sign in a password moves the rest of it elsewhere, and the host with it. */
    private static boolean isWhole(URI uri) {
      return (uri.getHost() != null || uri.getRawAuthority() == null)
          && (uri.getRawPath() == null || uri.getRawPath().indexOf('@') < 0)
          && (uri.getRawQuery() == null || uri.getRawQuery().indexOf('@') < 0)
          && uri.getRawFragment() == null;
    }

    /**
     * The nodes of a cluster, for example {@code a:5672,b:5672}: a connection is made to any that
     * answers. Default: the host and port of {@link #connectionFactory} or {@link #uri}, from which
     * everything else comes in any case.
     *
     * @throws IllegalArgumentException when it names none, or a port that is no number
     */
    public Builder addresses(String commaSeparated) {
      Address[] parsed;
      try {
        parsed = Address.parseAddresses(commaSeparated);
      } catch (RuntimeException e) {
        parsed = new Address[0];
      }
      if (parsed.length == 0 || commaSeparated.isBlank()) {
        throw new IllegalArgumentException("addresses names no node; use host:port,host:port.");
      }
      addresses = List.of(parsed);
      return this;
    }

    /**
     * Where RabbitMQ's management plugin answers: {@code http://host:15672}, with {@code
     * user:password@} where they are others than the connection's. Without it, and without
     * jackson-databind on the class path, {@link RabbitInboxConsumer#start} cannot see whether the
     * queue is safe, and says so in the log. Default: none.
     */
    public Builder management(String address) {
      management = address;
      return this;
    }

    /**
     * For a developer's machine: consumes also where messages could be lost, as from a queue that a
     * restart removes. Default: off, so that {@link RabbitInboxConsumer#start} refuses that.
     */
    public Builder development() {
      development = true;
      return this;
    }

    /**
     * The most unacknowledged messages of a channel. 1 to 65535, default 250: more than twice a
     * batch, so that the next one gathers while one is in work.
     */
    public Builder prefetch(int messages) {
      if (messages < 1 || messages > 65_535) {
        throw new IllegalArgumentException(
            "prefetch is %s; choose 1 to 65535.".formatted(messages));
      }
      prefetch = messages;
      return this;
    }

    /** How many channels consume, each with a thread. Default 1. */
    public Builder concurrency(int channels) {
      concurrency = atLeastOne("concurrency", channels);
      return this;
    }

    /** The most messages in one transaction; the prefetch limits it, too. Default 100. */
    public Builder batchSize(int messages) {
      batchSize = atLeastOne("batchSize", messages);
      return this;
    }

    /** How long {@link RabbitInboxConsumer#close} waits for batches in work. Default 30 s. */
    public Builder closeLimit(Duration limit) {
      closeLimit = limit;
      return this;
    }

    /**
     * Makes the consumer; nothing is asked of the broker or the database yet.
     *
     * @throws IllegalArgumentException when something required is missing
     */
    public RabbitInboxConsumer build() {
      Receiver required = receiver;
      if (required == null && inbox != null && handler != null) {
        required = inbox.receiver(handler);
      }
      String requiredQueue = queue;
      ConnectionFactory requiredFactory = factory;
      if (required == null || requiredQueue == null || requiredFactory == null) {
        throw new IllegalArgumentException(
            "A RabbitMQ consumer needs receiver(...), or inbox(...) and handler(...), and"
                + " queue(...) and connectionFactory(...) or uri(...).");
      }
      StartGate gate = gate(required, requiredQueue, requiredFactory);
      RabbitSession session =
          new RabbitSession(
              gate,
              requiredFactory,
              addresses.isEmpty()
                  ? List.of(new Address(requiredFactory.getHost(), requiredFactory.getPort()))
                  : addresses,
              required,
              requiredQueue,
              prefetch,
              Math.min(batchSize, prefetch),
              concurrency);
      return new RabbitInboxConsumer(session, required.backgroundWork(), gate, closeLimit);
    }

    private StartGate gate(Receiver used, String usedQueue, ConnectionFactory connecting) {
      String who = "Consumer " + used.consumer();
      if (development) {
        return StartGate.unguarded(who);
      }
      RabbitManagement asked =
          RabbitManagement.atOrNull(
              management,
              connecting.getUsername(),
              connecting.getPassword(),
              connecting.getVirtualHost());
      return new StartGate(
          who,
          () -> {
            List<Finding> findings = new ArrayList<>(used.examine().findings());
            findings.addAll(new RabbitExamination("rabbitmq", asked).queue(usedQueue));
            return findings;
          });
    }

    private static int atLeastOne(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException("%s is %s; choose at least 1.".formatted(name, value));
      }
      return value;
    }
  }
}
