package dev.twinbox.outbox;

import dev.twinbox.postgres.SchemaName;
import java.net.URI;
import java.net.URISyntaxException;
import java.sql.Connection;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jooq.DSLContext;
import org.jooq.TransactionListener;
import org.jspecify.annotations.Nullable;

/**
 * Enqueues messages as part of the caller's own transaction: they are published if it commits and
 * never existed if it rolls back, to a savepoint too.
 *
 * <p>What is given must be in a transaction that somebody will commit: refused with {@link
 * IllegalStateException} are a {@code DSLContext} outside of jOOQ's and Spring's transactions and
 * not made with one connection, whatever auto-commit says; a connection in auto-commit mode;
 * Spring's transaction once it is over ({@code afterCommit}, {@code afterCompletion}, listeners
 * {@code AFTER_COMMIT}) or on another connection; and a read-only transaction. Not recognised is a
 * {@code Connection} without auto-commit that its holder never commits.
 *
 * <p>Nothing is committed, rolled back or closed here. A message is refused with {@link
 * InvalidMessageException}, also for text that the database's encoding cannot store, before any SQL
 * is run, and for a broker without lanes with {@link NoLanesException}; in all these cases the
 * transaction can go on. What the database reports is thrown as jOOQ's {@link
 * org.jooq.exception.DataAccessException} with the {@code SQLException} as its cause; PostgreSQL
 * then has aborted the transaction.
 *
 * <p>Thread-safe; one instance serves a whole application.
 */
public interface Outbox {
  /**
   * Enqueues a message in the current transaction, as {@link Builder#currentTransaction} finds it.
   *
   * @throws IllegalStateException when there is none that somebody will commit, or it cannot be
   *     written to; or when the outbox was not told where to find it
   */
  Enqueued enqueue(Message message);

  /**
   * Enqueues what happened in the current transaction: {@link Builder#events} makes the message.
   *
   * @throws IllegalStateException as {@link #enqueue(Message)}, or without such a function
   * @throws IllegalArgumentException when the function knows no message of such an event
   */
  Enqueued enqueue(Object event);

  /**
   * Enqueues many messages in the current transaction, as {@link #enqueueAll(DSLContext,
   * Collection)}.
   */
  List<Enqueued> enqueueAll(Collection<Message> messages);

  /** Takes back a message in the current transaction, as {@link #cancel(DSLContext, UUID)}. */
  boolean cancel(UUID id);

  /**
   * Enqueues a message in the transaction of a jOOQ context.
   *
   * @param dsl the context of a transaction, for example {@code configuration.dsl()} inside {@code
   *     transaction(...)}, or one over a data source that takes part in Spring's
   */
  Enqueued enqueue(DSLContext dsl, Message message);

  /** Enqueues a message in the transaction of a connection. */
  Enqueued enqueue(Connection connection, Message message);

  /**
   * Enqueues many messages, all or none, in their order: one statement for up to about 16 MiB of
   * them, whatever their destinations.
   *
   * @return what became of each, in the same order
   */
  List<Enqueued> enqueueAll(DSLContext dsl, Collection<Message> messages);

  /** Enqueues many messages like {@link #enqueueAll(DSLContext, Collection)}. */
  List<Enqueued> enqueueAll(Connection connection, Collection<Message> messages);

  /**
   * Takes back a message that is not due yet, in the transaction of a jOOQ context: if that
   * commits, the message is never published.
   *
   * <p>Either this or the promotion of the due message wins, never both. A promotion that is just
   * under way is waited for, which takes milliseconds. Until your transaction ends, the message and
   * those of its key that become due after it stay where they are; if it rolls back, they go out in
   * their order. The message's dedup key stays taken.
   *
   * @param dsl the context of a transaction
   * @param id as {@link Enqueued#id()} has told it
   * @return whether the message was waiting; false when it has become due, was cancelled before, or
   *     never waited
   */
  boolean cancel(DSLContext dsl, UUID id);

  /** Takes back a message like {@link #cancel(DSLContext, UUID)}. */
  boolean cancel(Connection connection, UUID id);

  /**
   * Does what enqueue does before it meets the database: checks the message, gives it an id and
   * encodes its payload. For tests, and to learn early that a message is refused.
   *
   * @return the message as it would be stored
   * @throws InvalidMessageException as enqueue would throw it
   */
  Message prepare(Message message);

  /**
   * Says that messages may have been committed, so that a relay in this process looks at once
   * instead of at its next poll. Cheap, harmless when wrong, and never throws. Needed only where
   * neither Spring's transactions nor {@link #wakeOnCommit()} say it.
   */
  void wake();

  /**
   * Adds a listener of {@link #wake()}. It is called on the thread that committed: return quickly.
   *
   * @return closes to remove the listener
   */
  Subscription onWake(Runnable listener);

  /**
   * A listener for jOOQ's configuration that calls {@link #wake()} after each commit. Spring's
   * transactions need none: they are noticed at enqueue.
   */
  default TransactionListener wakeOnCommit() {
    return TransactionListener.onCommitEnd(
        context -> {
          if (context.causeThrowable() == null) {
            wake();
          }
        });
  }

  /** Begins a new outbox; {@link Builder#source} is required. */
  static Builder builder() {
    return new Builder();
  }

  /** A listener that can be removed. */
  interface Subscription extends AutoCloseable {
    /** Removes the listener; a second call does nothing. */
    @Override
    void close();
  }

  /** The settings of an outbox. Not thread-safe. */
  final class Builder {
    private SchemaName schema = new SchemaName("twinbox");
    private @Nullable String source;
    private int maxPayloadBytes = 1_000_000;
    private Supplier<PayloadCodec> codec = DefaultCodec::get;
    private Supplier<@Nullable String> traceparent = () -> null;
    private @Nullable DSLContext current;
    private Function<Object, Message> events = Builder::unknown;

    private Builder() {}

    /**
     * The schema that holds the tables, as the migrations were given it. Default {@code twinbox}.
     *
     * @throws IllegalArgumentException for a name that could be mistaken for SQL
     */
    public Builder schema(String name) {
      schema = new SchemaName(Objects.requireNonNull(name, "schema"));
      return this;
    }

    /**
     * Who sends: the CloudEvents attribute {@code source}, a URI reference such as {@code
     * /shop/orders} or {@code https://shop.example/orders}, at most 255 bytes. Required, no
     * default.
     */
    public Builder source(String uriReference) {
      String checked =
          Texts.line(
              "source", uriReference, 255, "Name the sending service, such as '/shop/orders'.");
      try {
        URI unused = new URI(checked);
      } catch (URISyntaxException e) {
        throw new InvalidMessageException(
            "source",
            "source %s is no URI reference (%s). Write it as '/shop/orders'."
                .formatted(Texts.shown(checked), e.getReason()),
            e);
      }
      source = checked;
      return this;
    }

    /**
     * How many bytes the payload, key and headers of a message may take together. Default
     * 1,000,000: within the 1 MiB that Kafka takes by default. Raise it only as far as the brokers'
     * own limits; 1 to 100,000,000.
     */
    public Builder maxPayloadBytes(int bytes) {
      if (bytes < 1 || bytes > 100_000_000) {
        throw new IllegalArgumentException(
            "maxPayloadBytes is %s; choose 1 to 100,000,000.".formatted(bytes));
      }
      maxPayloadBytes = bytes;
      return this;
    }

    /**
     * What encodes {@link Message#json(Object)}. Default: {@link JacksonCodec#create()}, made when
     * first used, which needs Jackson on the class path.
     */
    public Builder codec(PayloadCodec codec) {
      Objects.requireNonNull(codec, "codec");
      this.codec = () -> codec;
      return this;
    }

    /**
     * Asked at each enqueue for the current W3C {@code traceparent}; null for none. What does not
     * have its form is left out, and an exception counts as none. Default: none.
     */
    public Builder traceparent(Supplier<@Nullable String> traceparent) {
      this.traceparent = Objects.requireNonNull(traceparent, "traceparent");
      return this;
    }

    /**
     * Where calls without a connection find their transaction: a context whose connections are
     * those of the current thread's transaction, over a transaction-aware data source of Spring's
     * or with jOOQ's {@code ThreadLocalTransactionProvider}. Default: none, and such calls are
     * refused.
     */
    public Builder currentTransaction(DSLContext context) {
      current = Objects.requireNonNull(context, "currentTransaction");
      return this;
    }

    /**
     * Makes the message of an event that is enqueued as it is; it throws {@link
     * IllegalArgumentException} for one that it does not know. Default: knows none.
     */
    public Builder events(Function<Object, Message> toMessage) {
      events = Objects.requireNonNull(toMessage, "events");
      return this;
    }

    private static Message unknown(Object event) {
      throw new IllegalArgumentException(
          "%s is no Message, and the outbox was not told how to make one: give its builder events(...)."
              .formatted(event.getClass().getName()));
    }

    /**
     * Makes the outbox.
     *
     * @throws IllegalStateException without a source
     */
    public Outbox build() {
      if (source == null) {
        throw new IllegalStateException(
            "The outbox has no source. Name the sending service: .source(\"/shop/orders\").");
      }
      return new JdbcOutbox(
          new OutboxSql(schema),
          new MessageEncoder(source, maxPayloadBytes, codec, traceparent),
          current,
          events);
    }
  }
}
