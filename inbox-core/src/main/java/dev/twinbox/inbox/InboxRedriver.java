package dev.twinbox.inbox;

import dev.twinbox.broker.Supervision;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles quarantined messages once more where an operator has asked for it ({@link
 * Quarantine#redrive}).
 *
 * <p>One message of a consumer at a time, whatever the number of its instances, in the order of
 * their numbers and not faster than asked for. The handler's effects, the record of the id and the
 * removal from quarantine are one transaction, so a message that is asked for twice, or redelivered
 * meanwhile, takes effect once. One that fails goes back to quarantine with its new error, and so
 * does one that has killed its process as often as the inbox's backoff has attempts; an outage of
 * the database counts nothing.
 *
 * <p>The consumers of this module run one. Looks into a table, mostly empty, once a second.
 * Thread-safe.
 */
public final class InboxRedriver implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(InboxRedriver.class);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(30);
  private static final long WATCH_MILLIS = 100;

  private final String consumer;
  private final Transactions transactions;
  private final ConsumerRegistry registry;
  private final RedriveStore store;
  private final InboxStore inbox;
  private final HandlerRun handlerRun;
  private final Handler handler;
  private final Duration handlerTimeLimit;
  private final HandlerWatch watch;
  private final int tries;

  private final ReentrantLock state = new ReentrantLock();
  private final Condition changed = state.newCondition();
  private volatile @Nullable Thread worker;
  private volatile boolean stopping;

  // Only one round at a time: the handler's thread, or the caller of runOnce.
  private final ReentrantLock round = new ReentrantLock();
  private @Nullable UUID interrupted;
  private @Nullable Failed failed;

  InboxRedriver(
      String consumer,
      Transactions transactions,
      ConsumerRegistry registry,
      RedriveStore store,
      InboxStore inbox,
      HandlerRun handlerRun,
      Handler handler,
      Duration handlerTimeLimit,
      int tries) {
    this.consumer = consumer;
    this.transactions = transactions;
    this.registry = registry;
    this.store = store;
    this.inbox = inbox;
    this.handlerRun = handlerRun;
    this.handlerTimeLimit = handlerTimeLimit;
    this.tries = tries;
    watch = new HandlerWatch(handlerTimeLimit);
    this.handler =
        (delivery, work) -> {
          watch.begins();
          try {
            handler.handle(delivery, work);
          } finally {
            watch.ends();
          }
        };
  }

  /**
   * Handles everything that waits and whose turn has come, in the caller's thread, which is not
   * watched: the database alone ends a handler that hangs.
   *
   * @return how many messages were settled, one way or another
   * @throws DatabaseUnavailableException when the database failed; nothing is counted
   */
  public int runOnce() {
    round.lock();
    try {
      int settled = 0;
      while (!stopping) {
        RedriveStore.Look look = step();
        if (look instanceof RedriveStore.Wait) {
          return settled;
        }
        if (look instanceof RedriveStore.Claimed) {
          settled++;
        }
      }
      return settled;
    } finally {
      round.unlock();
    }
  }

  /** Begins to look for work, in a daemon thread. Idempotent. */
  public void start() {
    state.lock();
    try {
      if (worker != null || stopping) {
        return;
      }
      Thread thread = daemon("", this::work);
      daemon("-watch", () -> watch(thread));
      worker = thread;
    } finally {
      state.unlock();
    }
  }

  /** Lets no message begin any more; returns at once. */
  public void stop() {
    state.lock();
    try {
      stopping = true;
      changed.signalAll();
    } finally {
      state.unlock();
    }
  }

  /** Stops and waits up to 30 seconds for the message in work. */
  @Override
  public void close() {
    close(CLOSE_LIMIT);
  }

  /**
   * Stops and waits for the message in work; beyond the limit it is interrupted, which is not held
   * against it.
   */
  public void close(Duration limit) {
    stop();
    Thread thread = worker;
    if (thread == null) {
      return;
    }
    try {
      thread.join(Math.max(1, limit.toMillis()));
      if (thread.isAlive()) {
        log.warn("A handler did not end in time and is interrupted: {}", thread.getName());
        watch.abandon();
        thread.interrupt();
        thread.join(TimeUnit.SECONDS.toMillis(1));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private Thread daemon(String suffix, Runnable work) {
    Thread thread =
        Supervision.thread("twinbox-inbox-%s-redrive%s".formatted(consumer, suffix), work);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private void work() {
    Pauses pauses = new Pauses();
    while (!stopping) {
      if (!Supervision.attempt("The redriver of " + consumer, () -> workOnce(pauses))) {
        await(pauses.next());
      }
    }
  }

  private void workOnce(Pauses pauses) {
    Duration pause = Duration.ZERO;
    round.lock();
    try {
      if (step() instanceof RedriveStore.Wait wait) {
        pause = wait.pause();
      }
      pauses.reset();
    } catch (DatabaseUnavailableException e) {
      registry.doubt(); // its row may be gone
      pause = pauses.next();
      log.debug("Nothing is redriven for {}", pause, e);
    } finally {
      round.unlock();
      Thread.interrupted(); // it was meant for the handler that has ended now
    }
    await(pause);
  }

  private void await(Duration pause) {
    state.lock();
    try {
      long left = Math.min(pause.toNanos(), TimeUnit.SECONDS.toNanos(15));
      while (!stopping && left > 0) {
        left = changed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      log.debug("Interrupted between two messages"); // the end is told by stopping
    } finally {
      state.unlock();
    }
  }

  /** Interrupts a handler beyond its limit, as the consumers do with theirs. */
  private void watch(Thread handling) {
    while (handling.isAlive()) {
      Supervision.attempt("The watch over the redriver of " + consumer, this::look);
      try {
        Thread.sleep(WATCH_MILLIS);
      } catch (InterruptedException e) {
        log.debug("Interrupted between two looks"); // it ends with the thread that it watches
      }
    }
  }

  private void look() {
    long since = watch.hangsSince();
    if (since != 0) {
      watch.interrupt(since);
      log.error(
          "The handler of a redriven message has been running for more than {} and is interrupted",
          handlerTimeLimit);
    }
  }

  private RedriveStore.Look step() {
    Failed before = failed;
    if (before != null) {
      record(before);
    }
    Registration registration = registry.current();
    RedriveStore.Look look =
        transactions.run(
            "Nothing could be claimed for a redrive",
            connection -> store.look(connection, registration.consumerId(), interrupted, tries));
    if (look instanceof RedriveStore.Claimed claimed) {
      interrupted = claimed.claim();
      handle(registration, claimed);
      interrupted = null;
    }
    return look;
  }

  private void handle(Registration registration, RedriveStore.Claimed claimed) {
    Interruption interruption = new Interruption(watch::goOn);
    interruption.takeFlag();
    RedriveRun run = new RedriveRun(store, inbox, registration, claimed);
    try {
      handlerRun.run(run, List.of(run.checked()), handlerOf(claimed.delivery()), interruption);
      if (run.claimHolds()) {
        log.info(
            "Redrive {}: {} was {}",
            claimed.redrive(),
            claimed.delivery(),
            run.processes() ? "processed" : "recognised as a duplicate");
      }
    } catch (HandlerFailure e) {
      boolean stopped = interruption.hasEndedAlone(e.error()) && interruption.stopped();
      failed = new Failed(claimed, e.error(), e.ended(), stopped, true);
      record(failed);
      log.warn(
          "Redrive {}: {} failed",
          claimed.redrive(),
          claimed.delivery(),
          Throwables.loggable(e.error()));
    } catch (ConnectionLostException e) {
      failed = new Failed(claimed, e, e.ended(), false, false);
      throw e;
    } finally {
      interruption.restore();
    }
  }

  /**
   * Without its headers a message has no key, no expiry, no destination: nobody may handle that.
   */
  private Handler handlerOf(Delivery delivery) {
    if (!delivery.headers().containsKey(CloudEvent.UNREADABLE)) {
      return handler;
    }
    return (stripped, work) -> {
      throw new UnprocessableException(
          QuarantineReason.BROKEN_HEADERS,
          "Its headers could not be read and were left out. Have its producer send it again, and"
              + " discard this one.",
          null);
    };
  }

  /**
   * A failed redrive whose end is not recorded yet.
   *
   * @param ended what a handler may have committed, or null
   * @param stopped the message did nothing wrong
   * @param counts otherwise it goes back to quarantine only if a handler has committed
   */
  private record Failed(
      RedriveStore.Claimed claimed,
      Throwable error,
      @Nullable EndedTransaction ended,
      boolean stopped,
      boolean counts) {}

  private void record(Failed failure) {
    transactions.run(
        "A failure was not recorded",
        connection -> {
          EndedTransaction ended = failure.ended();
          if (ended != null && ended.isCommitted(connection)) {
            // Its id is recorded, which from now on does not say that it was processed.
            store.markRecorded(connection, failure.claimed(), ended.deliveries().get(0).id());
            sendBack(connection, failure, QuarantineReason.TRANSACTION_ENDED);
          } else if (failure.stopped()) {
            store.release(connection, failure.claimed());
          } else if (failure.counts()) {
            QuarantineReason atOnce = QuarantineReason.givenUpAtOnce(failure.error());
            sendBack(
                connection, failure, atOnce == null ? QuarantineReason.ATTEMPTS_EXHAUSTED : atOnce);
          }
          return true;
        });
    failed = null;
  }

  private void sendBack(Connection connection, Failed failure, QuarantineReason reason)
      throws SQLException {
    RedriveStore.Claimed claimed = failure.claimed();
    store.sendBack(
        connection,
        claimed.number(),
        claimed.redrive(),
        claimed.claim(),
        reason,
        ErrorText.of(failure.error()));
  }
}
