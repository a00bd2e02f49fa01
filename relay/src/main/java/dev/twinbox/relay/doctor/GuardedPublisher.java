package dev.twinbox.relay.doctor;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.Supervision;
import dev.twinbox.relay.doctor.DestinationGuard.Verdict;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Hands records on, in their order, once the guard allows their destination. While a destination is
 * looked at for the first time, it and what follows it wait here; one that is refused is
 * unavailable, so its messages wait in the outbox.
 *
 * <p>One thread at a time hands records on, without holding the lock, because the publisher behind
 * may tell a listener within the call: the lane's thread, or the guard's after a wait.
 */
final class GuardedPublisher implements Publisher {
  private static final Outcome CLOSED =
      new Outcome.Unknown("the publisher was closed before the broker confirmed");
  private static final Outcome AFTER_STOP =
      new Outcome.Unknown("not sent: an earlier message's destination is unsafe");
  private static final long CLOSE_LIMIT_SECONDS = 5;

  private record Waiting(OutboxRecord record, OutcomeListener listener) {}

  /** What an ended publisher says of the records that it did not hand on. */
  private record End(@Nullable String destination, Outcome outcome, Outcome ofOthers) {
    Outcome of(OutboxRecord record) {
      return record.destination().equals(destination) ? outcome : ofOthers;
    }
  }

  private final Publisher publisher;
  private final DestinationGuard guard;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition handedOn = lock.newCondition();
  private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
  private boolean flushWanted;
  private @Nullable Thread hand;
  private @Nullable End end;

  GuardedPublisher(Publisher publisher, DestinationGuard guard) {
    this.publisher = publisher;
    this.guard = guard;
  }

  @Override
  public void publish(OutboxRecord record, OutcomeListener listener) {
    End ended;
    lock.lock();
    try {
      ended = end;
      if (ended == null) {
        queue.add(new Waiting(record, listener));
        if (hand != null || queue.size() > 1) {
          // Looked at together with the one that is waited for.
          Verdict unused = guard.ask(record.destination(), () -> {});
          return;
        }
        hand = Thread.currentThread();
      }
    } finally {
      lock.unlock();
    }
    if (ended == null) {
      handOn();
    } else {
      listener.settled(record, ended.of(record));
    }
  }

  /** There is a verdict that was waited for. */
  private void resume() {
    lock.lock();
    try {
      if (hand != null || end != null) {
        return;
      }
      hand = Thread.currentThread();
    } finally {
      lock.unlock();
    }
    handOn();
  }

  private void handOn() {
    try {
      for (Runnable next = next(); next != null; next = next()) {
        next.run();
      }
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    } finally {
      letGo();
    }
  }

  /** Nobody would hand on what is queued. */
  private void fail(Throwable why) {
    End ended = failure(why);
    List<Waiting> left;
    lock.lock();
    try {
      end = ended;
      left = new ArrayList<>(queue);
      queue.clear();
    } finally {
      lock.unlock();
    }
    tell(left, ended);
  }

  private static End failure(Throwable why) {
    Outcome outcome = new Outcome.Unknown("the publisher failed: " + why.getClass().getName());
    return new End(null, outcome, outcome);
  }

  private void letGo() {
    lock.lock();
    try {
      if (hand == Thread.currentThread()) {
        hand = null;
        handedOn.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** What is to be done next; null when that is nothing, and this thread has let go then. */
  private @Nullable Runnable next() {
    List<Waiting> refused;
    boolean flushFirst;
    End ended;
    lock.lock();
    try {
      Waiting first = queue.peek();
      if (first == null && flushWanted) {
        flushWanted = false;
        return publisher::flush;
      }
      Verdict verdict =
          first == null ? null : guard.ask(first.record().destination(), this::resume);
      String refusal = verdict == null ? null : verdict.refusal();
      if (first != null && verdict != null && refusal == null) {
        queue.remove();
        return () -> publish(first);
      }
      hand = null;
      handedOn.signalAll();
      if (first == null || refusal == null) {
        return null;
      }
      ended =
          new End(
              first.record().destination(),
              new Outcome.Unavailable(Reason.UNSAFE, refusal),
              AFTER_STOP);
      end = ended;
      flushFirst = flushWanted;
      refused = new ArrayList<>(queue);
      queue.clear();
    } finally {
      lock.unlock();
    }
    tell(refused, ended);
    if (flushFirst) {
      publisher.flush(); // what went before may still be confirmed
    }
    return null;
  }

  private void publish(Waiting next) {
    try {
      publisher.publish(next.record(), next.listener());
    } catch (RuntimeException | Error e) {
      // Nobody else will say what became of it.
      tell(List.of(next), failure(e));
      throw e;
    }
  }

  /** Each hears it, whatever the listener of another throws. */
  private static void tell(List<Waiting> all, End ended) {
    for (Waiting one : all) {
      Supervision.run(
          "telling the outcome of a message",
          () -> one.listener().settled(one.record(), ended.of(one.record())));
    }
  }

  @Override
  public void flush() {
    lock.lock();
    try {
      if (hand != null || !queue.isEmpty()) {
        flushWanted = true;
        return;
      }
    } finally {
      lock.unlock();
    }
    publisher.flush();
  }

  @Override
  public String waitsFor() {
    Waiting first;
    lock.lock();
    try {
      first = hand == null ? queue.peek() : null;
    } finally {
      lock.unlock();
    }
    String behind = publisher.waitsFor();
    return behind.isEmpty() && first != null
        ? "whether %s is safe is being looked at".formatted(first.record().destination())
        : behind;
  }

  @Override
  public void close() {
    List<Waiting> left;
    End ended = new End(null, CLOSED, CLOSED);
    lock.lock();
    try {
      end = ended;
      left = new ArrayList<>(queue);
      queue.clear();
      awaitHand();
    } finally {
      lock.unlock();
    }
    tell(left, ended);
    publisher.close();
  }

  /** What another thread hands on at this moment has to reach the publisher before it is closed. */
  private void awaitHand() {
    boolean interrupted = false;
    long nanos = TimeUnit.SECONDS.toNanos(CLOSE_LIMIT_SECONDS);
    while (hand != null && hand != Thread.currentThread() && nanos > 0) {
      try {
        nanos = handedOn.awaitNanos(nanos);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
