package dev.twinbox.inbox;

import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Examining;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.ServerExamination;
import dev.twinbox.inbox.doctor.InboxExamination;
import dev.twinbox.postgres.CallersTransaction;
import dev.twinbox.postgres.SchemaName;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jooq.Configuration;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DefaultConfiguration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets each message take effect once: its id is recorded in the transaction in which its handler
 * writes, so both are committed or neither is.
 *
 * <p>A message's database effects commit once per consumer name for as long as its dedup record is
 * kept, 7 days and more by default; older ones are refused visibly. Ids of other producers, which
 * say nothing of their age, are the exception: redelivered after that time, their message is
 * processed again. They are recognised by their CloudEvents {@code source} and id, and without a
 * source by the topic or queue and id. The handler may run more than once, only one run commits.
 * Transactions are READ COMMITTED and commit durably whatever the role's defaults are.
 * Serialization failures and deadlocks run a transaction again and count nothing.
 *
 * <p>Thread-safe. Uses the database for the first time at the first delivery.
 */
public final class Inbox {
  private static final Logger log = LoggerFactory.getLogger(Inbox.class);

  private final DataSource dataSource;
  private final String schema;
  private final String consumer;
  private final Duration handlerTimeLimit;
  private final Configuration jooq;
  private final InboxStore store;
  private final QuarantineStore quarantine;
  private final Admission admission;
  private final Transactions transactions;
  private final ConsumerRegistry registry;
  private final HandlerRun handlerRun;
  private final Reception reception;
  private final RedriveStore redriveStore;
  private final Backoff backoff;
  private final boolean mayOvertake;
  private final List<InboxListener> listeners = new CopyOnWriteArrayList<>();

  private Inbox(DataSource dataSource, String consumer, Builder builder) {
    this.dataSource = dataSource;
    this.consumer = consumer;
    schema = new SchemaName(builder.schema).quoted();
    handlerTimeLimit = builder.handlerTimeLimit;
    jooq = builder.jooq;
    store = new InboxStore(schema, handlerTimeLimit);
    quarantine = new QuarantineStore(schema);
    admission = new Admission(Set.copyOf(builder.expectedDestinations));
    transactions = new Transactions(dataSource);
    registry = new ConsumerRegistry(transactions, store, consumer);
    handlerRun = new HandlerRun(transactions, jooq, handlerTimeLimit, builder.runner);
    reception =
        new Reception(
            transactions,
            store,
            quarantine,
            handlerRun,
            admission,
            builder.backoff,
            builder.mayOvertake,
            builder.longestPipeline);
    redriveStore = new RedriveStore(schema);
    backoff = builder.backoff;
    mayOvertake = builder.mayOvertake;
  }

  /** Starts the description of an inbox. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Receives one delivery in a transaction of the inbox's own.
   *
   * @return what became of it; acknowledge the delivery if it is {@link Receipt#settled()},
   *     otherwise hand it over again later as {@link Delivery#again()}
   * @throws DatabaseUnavailableException when the database failed; nothing is counted
   */
  public Receipt receive(Delivery delivery, Handler handler) {
    return receiveAll(List.of(delivery), handler).get(0);
  }

  /**
   * Receives a batch in one transaction. Where a handler fails, the transaction is rolled back and
   * the batch runs again one by one, so that the others are processed; what follows the failed one
   * and has its key is {@link Receipt.Held}. An id that is in the batch twice is processed once.
   *
   * @param deliveries in the order in which they arrived, and in which handlers are called
   * @return a receipt for each delivery, in the same order
   * @throws DatabaseUnavailableException when the database failed. Part of the batch may have been
   *     processed by then; handed over again it is recognised
   */
  public List<Receipt> receiveAll(List<Delivery> deliveries, Handler handler) {
    return receiveAll(deliveries, handler, () -> true);
  }

  /**
   * The same for a caller that can be told to end while a batch is in work. Once {@code goOn} says
   * no, no handler begins; a batch that is interrupted then is rolled back, and what was not
   * processed by then is {@link Receipt.Held} with nothing counted.
   *
   * @param goOn asked before each handler, by the calling thread
   */
  public List<Receipt> receiveAll(
      List<Delivery> deliveries, Handler handler, BooleanSupplier goOn) {
    try {
      if (listeners.isEmpty()) {
        return reception.receive(registry.current(), deliveries, handler, goOn);
      }
      long began = System.nanoTime();
      List<Receipt> receipts =
          reception.receive(registry.current(), deliveries, timed(handler), goOn);
      tellReceived(receipts, began);
      return receipts;
    } catch (DatabaseUnavailableException e) {
      registry.doubt(); // its row may be gone
      throw e;
    }
  }

  /**
   * Receives deliveries one after another, each in a transaction of its own as by {@link #receive},
   * for as long as there are more. What it saves: one transaction's commit and the next one's
   * beginning share a round trip to the database.
   *
   * <p>Returns when the source has no more now, when {@code goOn} says no, after a receipt that is
   * not settled, and sometimes before. What was taken and not received by then was not handled:
   * hand it out again, in the same order.
   *
   * @param goOn asked before each handler, by the calling thread
   * @throws DatabaseUnavailableException when the database failed. What was taken and not received
   *     may have been processed all the same; handed out again it is recognised
   */
  public void receiveEach(DeliverySource deliveries, Handler handler, BooleanSupplier goOn) {
    try {
      if (listeners.isEmpty()) {
        reception.receiveEach(registry.current(), deliveries, handler, goOn);
      } else {
        reception.receiveEach(registry.current(), new Timed(deliveries), timed(handler), goOn);
      }
    } catch (DatabaseUnavailableException e) {
      registry.doubt(); // its row may be gone
      throw e;
    }
  }

  /** Has a listener told of everything from now on. Callable from any thread. */
  public void addListener(InboxListener listener) {
    listeners.add(listener);
  }

  private void tellReceived(List<Receipt> receipts, long began) {
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    tell(listener -> listener.received(receipts, took));
  }

  /** What listeners make of it is theirs: it changes no receipt and fails no handler. */
  private void tell(Consumer<InboxListener> news) {
    for (InboxListener listener : listeners) {
      try {
        news.accept(listener);
      } catch (Throwable e) { // an Error of theirs is no more the message's fault
        log.warn("A listener of the inbox failed", Throwables.loggable(e));
      }
    }
  }

  private Handler timed(Handler handler) {
    return (delivery, work) -> {
      long began = System.nanoTime();
      try {
        handler.handle(delivery, work);
      } finally {
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        tell(listener -> listener.handled(took));
      }
    };
  }

  /**
   * Receives one delivery in a transaction that the caller has begun, and commits or rolls back.
   * Acknowledge the delivery only after the commit. Whatever the handler throws reaches the caller,
   * who must roll back; no attempt is counted and nothing is quarantined then, unless by {@link
   * #failed}.
   *
   * @return Processed, Duplicate, Expired, Refused or Quarantined
   * @throws IllegalStateException when the connection is in auto-commit mode or read-only, or is
   *     Spring's and its transaction is over: nothing was executed then
   * @throws HandlerException around a checked exception of the handler
   * @throws DatabaseUnavailableException when the inbox's own statements failed
   */
  public Receipt receiveIn(Connection callersTransaction, Delivery delivery, Handler handler) {
    return CallersTransaction.in(
        callersTransaction,
        connection -> receiveIn(connection, new Work(connection, jooq), delivery, handler));
  }

  /**
   * The same as {@link #receiveIn(Connection, Delivery, Handler)} for jOOQ.
   *
   * @param callersTransaction in jOOQ's own transaction, in Spring's current one through a
   *     transaction-aware data source, or made with one connection; any other would lose the
   *     effects silently, and is refused with {@code IllegalStateException}
   */
  public Receipt receiveIn(DSLContext callersTransaction, Delivery delivery, Handler handler) {
    return CallersTransaction.in(
        callersTransaction,
        connection ->
            receiveIn(
                connection, new CallersWork(callersTransaction, connection), delivery, handler));
  }

  /**
   * Counts a failure of {@link #receiveIn}, after the caller has rolled back: as by {@link
   * #receive}, the message is tried again by the backoff, and quarantined after its last attempt.
   * In a transaction of the inbox's own.
   *
   * @param error what {@code receiveIn}, the handler or the commit threw
   * @return Failed or Quarantined; Duplicate where the message was processed all the same; Held
   *     where nothing is counted, as the error is a serialization failure, a deadlock or an outage
   *     of the database. What is not {@link Receipt#settled()} is handed over again as {@link
   *     Delivery#again()}
   * @throws DatabaseUnavailableException when the failure could not be recorded
   */
  public Receipt failed(Delivery delivery, Throwable error) {
    try {
      Receipt receipt = reception.failedElsewhere(registry.current(), delivery, error);
      tell(listener -> listener.received(List.of(receipt), Duration.ZERO));
      return receipt;
    } catch (DatabaseUnavailableException e) {
      registry.doubt(); // its row may be gone
      throw e;
    }
  }

  /** The consumer's name. */
  public String consumer() {
    return consumer;
  }

  /** How long a handler may take; see {@link Builder#handlerTimeLimit}. */
  public Duration handlerTimeLimit() {
    return handlerTimeLimit;
  }

  /** Whether messages may overtake a failed one of their key; see {@link Builder#mayOvertake}. */
  public boolean mayOvertake() {
    return mayOvertake;
  }

  /**
   * Handles once more what operators ask for, see {@link Quarantine#redrive}; the consumers of this
   * module start one.
   *
   * @param handler the same that receives this consumer's messages; called by a thread of its own
   */
  public InboxRedriver redriver(Handler handler) {
    return new InboxRedriver(
        consumer,
        transactions,
        registry,
        redriveStore,
        store,
        handlerRun,
        handler,
        handlerTimeLimit,
        backoff.attempts());
  }

  /**
   * This inbox with the handler of its messages, for the consumers of a broker.
   *
   * @param handler called by the consumer's threads, and by one more for what is redriven
   */
  public Receiver receiver(Handler handler) {
    return new InboxReceiver(this, handler);
  }

  /** New upkeep for the tables of this inbox; the consumers of this module start one. */
  public InboxUpkeep upkeep() {
    return new InboxUpkeep(dataSource, schema);
  }

  /**
   * Looks for settings of the database by which messages could be lost or take effect twice; the
   * consumers of this module do so when they start. Changes nothing and throws nothing: what cannot
   * be reached is a finding.
   */
  public Diagnosis examine() {
    return new Diagnosis(
        Examining.database(
            dataSource,
            "database",
            connection -> {
              List<Finding> findings =
                  new ArrayList<>(ServerExamination.withDefaults().examine(connection));
              findings.addAll(new InboxExamination(schema).examine(connection));
              return findings;
            }));
  }

  private Receipt receiveIn(
      Connection connection, InboxTransaction work, Delivery delivery, Handler handler) {
    if (listeners.isEmpty()) {
      return take(connection, work, delivery, handler);
    }
    long began = System.nanoTime();
    Receipt receipt = take(connection, work, delivery, timed(handler));
    tellReceived(List.of(receipt), began);
    return receipt;
  }

  private Receipt take(
      Connection connection, InboxTransaction work, Delivery delivery, Handler handler) {
    CheckedDelivery checked;
    int consumerId;
    Recorded recorded;
    try {
      Registration registration = registry.currentIn(connection);
      consumerId = registration.consumerId();
      checked = admission.judge(delivery, registration);
      QuarantineReason refusal = checked.refusal();
      if (refusal == QuarantineReason.OLDER_THAN_DEDUP_HORIZON
          && store.hasPass(connection, consumerId, checked.id())) {
        quarantine.leave(connection, consumerId, checked.id());
        checked = new CheckedDelivery(delivery, InboxIds.old(checked.id()));
      } else if (refusal != null) {
        store.commitDurably(connection);
        return reception.keepUnhandled(connection, consumerId, checked, refusal);
      }
      recorded = store.recordDurably(connection, consumerId, checked.id());
      if (recorded.isEmpty()) {
        recorded = store.takePasses(connection, consumerId, Set.of(checked.id()));
      }
      if (recorded.isEmpty()) {
        store.commitDurably(connection);
        return new Receipt.Duplicate();
      }
    } catch (SQLException e) {
      registry.doubt(); // its row may be gone
      throw new DatabaseUnavailableException("The id was not recorded", e);
    }
    return handleIn(connection, work, new RecordedIn(consumerId, checked, recorded), handler);
  }

  /** What was recorded in a transaction of the caller's. */
  private record RecordedIn(int consumer, CheckedDelivery checked, Recorded recorded) {}

  private Receipt handleIn(
      Connection connection, InboxTransaction work, RecordedIn callers, Handler handler) {
    Delivery delivery = callers.checked().delivery();
    try {
      handler.handle(delivery, work);
    } catch (RuntimeException | Error e) {
      refuseEnded(connection, callers, e);
      throw e;
    } catch (Exception e) {
      refuseEnded(connection, callers, e);
      throw new HandlerException(delivery, e);
    }
    refuseEnded(connection, callers, null);
    return new Receipt.Processed();
  }

  /**
   * The caller's commit would be that of another transaction if the handler has ended the one in
   * which the id was recorded.
   */
  private void refuseEnded(Connection connection, RecordedIn callers, @Nullable Throwable error) {
    String xid = String.valueOf(callers.recorded().transaction());
    try {
      if (store.isCurrent(connection, xid)) {
        return;
      }
    } catch (SQLException e) {
      if (error == null) {
        throw new DatabaseUnavailableException("The transaction is broken", e);
      }
      return; // aborted by what the handler did: nothing is committed
    }
    IllegalStateException refusal =
        new IllegalStateException(
            "The handler has ended the caller's transaction, in which the id was recorded. Roll"
                + " back. If it was committed, the message lies in quarantine now: "
                + callers.checked().delivery(),
            error);
    EndedTransaction ended =
        new EndedTransaction(
            xid, List.of(callers.checked()), callers.recorded().ids(), 0, 0, refusal);
    reception.repairs().settle(callers.consumer(), ended);
    throw refusal;
  }

  /** Tells listeners of each delivery, with the time since the one before. */
  private final class Timed implements DeliverySource {
    private final DeliverySource deliveries;
    private long began = System.nanoTime();

    Timed(DeliverySource deliveries) {
      this.deliveries = deliveries;
    }

    @Override
    public @Nullable Delivery next() {
      return deliveries.next();
    }

    @Override
    public void received(Receipt receipt) {
      deliveries.received(receipt);
      tellReceived(List.of(receipt), began);
      began = System.nanoTime();
    }
  }

  /** The caller's own jOOQ context, as it is. */
  private record CallersWork(DSLContext dsl, Connection connection) implements InboxTransaction {}

  /** Describes an {@link Inbox}; not thread-safe. */
  public static final class Builder {
    private @Nullable DataSource dataSource;
    private @Nullable String consumer;
    private String schema = "twinbox";
    private Backoff backoff = Backoff.exponential(Duration.ofSeconds(1));
    private Duration handlerTimeLimit = Duration.ofMinutes(5);
    private boolean mayOvertake;
    private @Nullable TransactionRunner runner;
    private Duration longestPipeline = Duration.ofMillis(100);
    private Configuration jooq = new DefaultConfiguration().set(SQLDialect.POSTGRES);
    private final Set<String> expectedDestinations = new LinkedHashSet<>();

    private Builder() {}

    /** Connections to the primary; a pool, as each batch takes one. Required. */
    public Builder dataSource(DataSource source) {
      dataSource = source;
      return this;
    }

    /**
     * The name under which ids are recorded: each message takes effect once per name. All instances
     * of a service share one; never change it, or everything still in the broker is processed
     * again. Required.
     */
    public Builder consumer(String name) {
      consumer = name;
      return this;
    }

    /** The schema of Twinbox's tables. Default {@code twinbox}. */
    public Builder schema(String name) {
      schema = name;
      return this;
    }

    /**
     * When failed messages are tried again and when they are quarantined. Default: after 1 s,
     * doubling up to 5 minutes, quarantined after 5 attempts.
     */
    public Builder backoff(Backoff policy) {
      backoff = policy;
      return this;
    }

    /**
     * How long a handler may take. Beyond that the consumers of this module interrupt it and give
     * up its partition or channel. After as long again, but at most 30 seconds later, the database
     * ends a statement that still runs, or the session of a transaction that idles, so that the
     * message can be handled elsewhere although its process hangs or is frozen; that counts as a
     * failure. 1 second to 20 days, default 5 minutes.
     */
    public Builder handlerTimeLimit(Duration limit) {
      // PostgreSQL counts timeouts in milliseconds with 31 bits.
      if (limit.compareTo(Duration.ofSeconds(1)) < 0 || limit.compareTo(Duration.ofDays(20)) > 0) {
        throw new IllegalArgumentException(
            "handlerTimeLimit is %s; choose 1 second to 20 days.".formatted(limit));
      }
      handlerTimeLimit = limit;
      return this;
    }

    /**
     * Quarantines messages that were sent to another destination, such as {@code kafka:orders}.
     * Messages that name none are taken. Default: every destination is taken.
     */
    public Builder expectDestinations(String... destinations) {
      expectedDestinations.addAll(Arrays.asList(destinations));
      return this;
    }

    /**
     * Gives up the order of keys where a message fails: those behind it go on while it waits to be
     * tried again. Default: they wait for it, until it succeeds or is quarantined.
     */
    public Builder mayOvertake() {
      mayOvertake = true;
      return this;
    }

    /**
     * Who begins and ends the transactions in which messages are handled, such as Spring, so that
     * what handlers write through repositories is part of them. A message counts as processed only
     * once such a transaction has committed, for which the database is asked: one round trip more.
     * What fails at the flush or the commit is the handler's failure. The inbox's other statements,
     * such as those that count failures, run in its own transactions on {@link #dataSource}, so a
     * thread can need two connections. Default: the inbox's own transactions, of which {@link
     * Inbox#receiveEach} commits one and begins the next in one round trip.
     */
    public Builder transactions(TransactionRunner owner) {
      runner = owner;
      return this;
    }

    /** How long {@link Inbox#receiveEach} keeps a connection. Default 100 ms. */
    Builder longestPipeline(Duration longest) {
      longestPipeline = longest;
      return this;
    }

    /** What {@link InboxTransaction#dsl()} is derived from. Default: dialect POSTGRES. */
    public Builder jooq(Configuration configuration) {
      jooq = configuration;
      return this;
    }

    /**
     * Makes the inbox; nothing is asked of the database yet.
     *
     * @throws IllegalArgumentException when something required is missing, or a name not accepted
     */
    public Inbox build() {
      DataSource source = dataSource;
      String name = consumer;
      if (source == null) {
        throw new IllegalArgumentException("An inbox needs dataSource(...).");
      }
      if (name == null || name.isBlank() || name.indexOf('\u0000') >= 0) {
        throw new IllegalArgumentException(
            "An inbox needs consumer(...), the name under which ids are recorded.");
      }
      return new Inbox(source, name, this);
    }
  }
}
