package dev.twinbox.cli.memory;

import dev.twinbox.broker.DestinationText;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.OutcomeQueue;
import dev.twinbox.broker.PendingRecord;
import dev.twinbox.broker.Publisher;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/** Sends one record at a time, from a thread of its own: slow, and in order. */
final class MemoryPublisher implements Publisher {
  private static final long TICK_MILLIS = 20;

  private static final class Send extends PendingRecord {
    Send(OutboxRecord record, OutcomeListener listener) {
      super(record, listener);
    }
  }

  private final String broker;
  private final int port;
  private final Duration lookTimeout;
  private final Duration confirmTimeout;
  private final OutcomeQueue outcomes = new OutcomeQueue();
  private final Condition more = outcomes.newCondition();
  private final ArrayDeque<Send> waiting = new ArrayDeque<>();

  /** Calls hang while the broker is frozen; nobody waits for them longer than allowed. */
  private final ExecutorService calls =
      Executors.newCachedThreadPool(work -> daemon("memory-call", work));

  private @Nullable Send sending;
  private boolean stopped;

  MemoryPublisher(String broker, int port, Duration lookTimeout, Duration confirmTimeout) {
    this.broker = broker;
    this.port = port;
    this.lookTimeout = lookTimeout;
    this.confirmTimeout = confirmTimeout;
    daemon("memory-publisher", this::work).start();
  }

  @Override
  public void publish(OutboxRecord record, OutcomeListener listener) {
    Send send = new Send(record, listener);
    outcomes.lock();
    if (stopped) {
      outcomes.settle(send, new Outcome.Unknown("The publisher has stopped"));
    } else {
      waiting.add(send);
      more.signal();
    }
    outcomes.unlock();
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    outcomes.lock();
    stop("The publisher was closed");
    outcomes.unlockWhenTold();
    calls.shutdownNow();
  }

  /** Under the lock. */
  private void stop(String why) {
    stopped = true;
    more.signal();
    Send current = sending;
    if (current != null) {
      outcomes.settle(current, new Outcome.Unknown(why));
    }
    waiting.forEach(send -> outcomes.settle(send, new Outcome.Unknown(why)));
    waiting.clear();
  }

  private void work() {
    Remotely server = null;
    while (true) {
      Send next = next();
      if (next == null) {
        return;
      }
      OutboxRecord record = next.record();
      String topic = DestinationText.addressAt(broker, record.destination());
      if (topic == null) {
        settle(next, new Outcome.Rejected(Reason.UNKNOWN_DESTINATION, record.destination()));
        continue;
      }
      try {
        record.refuseStructuredMode();
      } catch (IllegalArgumentException e) {
        settle(next, new Outcome.Rejected(Reason.MALFORMED, String.valueOf(e.getMessage())));
        continue;
      }
      try {
        if (server == null) {
          server = awaited(next, lookTimeout, this::connect);
        }
        if (next.hasExpired(System.nanoTime())) {
          settle(next, next.expired());
          continue;
        }
        Remotely present = server;
        settle(next, outcome(awaited(next, confirmTimeout, () -> send(present, topic, record))));
      } catch (ExecutionException | TimeoutException e) {
        settle(next, new Outcome.Unavailable(Reason.UNREACHABLE, String.valueOf(e)));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        settle(next, new Outcome.Unknown("interrupted"));
      }
    }
  }

  private Remotely connect() throws Exception {
    Remotely server = MemoryServer.at(port);
    server.ping();
    return server;
  }

  private static Remotely.Answer send(Remotely server, String topic, OutboxRecord record)
      throws Exception {
    return server.append(
        topic, new Remotely.Kept(record.id().toString(), record.key(), record.payload()));
  }

  /** While it waits for a connection, what expires is given up; a message on its way is not. */
  private <T> T awaited(Send send, Duration limit, Callable<T> call)
      throws ExecutionException, InterruptedException, TimeoutException {
    boolean sent = limit.equals(confirmTimeout) && !send.mayExpire();
    Future<T> answer = calls.submit(call);
    long deadline = System.nanoTime() + limit.toNanos();
    while (true) {
      try {
        return answer.get(TICK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        if (isOver() || System.nanoTime() - deadline >= 0) {
          throw e;
        }
        if (!sent) {
          expire(send);
        }
      }
    }
  }

  private boolean isOver() {
    outcomes.lock();
    try {
      return stopped;
    } finally {
      outcomes.unlock();
    }
  }

  private void expire(Send send) {
    if (send.hasExpired(System.nanoTime())) {
      outcomes.lock();
      outcomes.settle(send, send.expired());
      outcomes.unlock();
    }
  }

  private static Outcome outcome(Remotely.Answer answer) {
    return switch (answer) {
      case TAKEN -> Outcome.PUBLISHED;
      case TOO_LARGE -> new Outcome.Rejected(Reason.TOO_LARGE, "more than the broker takes");
      case NO_TOPIC -> new Outcome.Unavailable(Reason.MISSING_DESTINATION, "no such topic");
    };
  }

  private void settle(Send send, Outcome outcome) {
    outcomes.lock();
    outcomes.settle(send, outcome);
    if (!(outcome instanceof Outcome.Published || outcome instanceof Outcome.Rejected)) {
      stop("A message before it failed");
    }
    outcomes.unlock();
  }

  private @Nullable Send next() {
    outcomes.lock();
    try {
      while (waiting.isEmpty() && !stopped) {
        more.awaitUninterruptibly();
      }
      sending = stopped ? null : waiting.poll();
      return sending;
    } finally {
      outcomes.unlock();
    }
  }

  private static Thread daemon(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }
}
