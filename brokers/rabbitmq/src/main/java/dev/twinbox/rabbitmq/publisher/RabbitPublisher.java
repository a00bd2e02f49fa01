package dev.twinbox.rabbitmq.publisher;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Return;
import com.rabbitmq.client.ShutdownSignalException;
import dev.twinbox.broker.KeyOrdering;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.OutcomeQueue;
import dev.twinbox.broker.Publisher;
import dev.twinbox.rabbitmq.RabbitRoute;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import org.jspecify.annotations.Nullable;

/**
 * Publishes one lane's records over a connection of its own.
 *
 * <p>A writer thread connects and writes, because both can hang with the network; it holds no lock
 * meanwhile. Confirms, returns and shutdowns come on the client's reader thread and only change
 * state under the lock. The clock of the broker finds what has waited too long, and cuts the
 * connection under a hanging write.
 */
final class RabbitPublisher implements Publisher {
  private static final Outcome AFTER_STOP =
      new Outcome.Unknown("not sent: an earlier message was not published");
  private static final Outcome BEHIND_FAILURE =
      new Outcome.Unknown("not sent: an earlier message of its key failed");
  private static final Outcome CLOSED =
      new Outcome.Unknown("the publisher was closed before the broker confirmed");

  private final RabbitBroker broker;
  private final int lane;
  private final Routes routes;
  private final OutcomeQueue outcomes = new OutcomeQueue();
  private final Condition changed = outcomes.newCondition();
  private final KeyOrdering<RabbitSend> keyOrdering = new KeyOrdering<>();

  /** May be sent, in this order. */
  private final ArrayDeque<RabbitSend> ready = new ArrayDeque<>();

  /** Sent on the channel, by its number; the order is that of sending. */
  private final Map<Long, RabbitSend> unconfirmed = new LinkedHashMap<>();

  private @Nullable RabbitLink link;
  private @Nullable Connection connection;

  /** Also says which channel counts: what an earlier one still reports is ignored. */
  private @Nullable Channel channel;

  private long published;
  private int unsettled;

  /** So many records are sent one by one, to find the one over which the channel was closed. */
  private int oneByOne;

  private boolean anyMayExpire;
  private boolean blocked;
  private long blockedSince;
  private boolean stopped;
  private boolean closed;
  private Outcome afterStop = AFTER_STOP;

  RabbitPublisher(RabbitBroker broker, int lane, int oneByOne) {
    this.broker = broker;
    this.lane = lane;
    this.oneByOne = oneByOne;
    this.routes = new Routes(broker.name());
  }

  @Override
  public void publish(OutboxRecord record, OutcomeListener listener) {
    RabbitRoute route = routes.of(record.destination());
    RabbitSend send =
        new RabbitSend(
            route == null ? "" : route.exchange(),
            route == null ? "" : route.routingKey(),
            record,
            listener);
    outcomes.lock();
    try {
      unsettled++;
      anyMayExpire |= send.mayExpire();
      if (stopped) {
        settle(send, closed ? CLOSED : afterStop);
      } else if (route == null) {
        settle(
            send,
            new Outcome.Rejected(
                Reason.UNKNOWN_DESTINATION,
                "%s is not %s:exchange/routing.key"
                    .formatted(record.destination(), broker.name())));
      } else {
        switch (keyOrdering.enter(send)) {
          case FIRST -> makeReady(send);
          case WAITS -> {}
          case BEHIND_FAILURE -> settle(send, BEHIND_FAILURE);
        }
      }
    } finally {
      outcomes.unlock();
    }
  }

  /** Nothing to do: each message is written at once. */
  @Override
  public void flush() {}

  @Override
  public String waitsFor() {
    outcomes.lock();
    try {
      if (blocked) {
        return "the broker blocks publishers: memory or disk alarm";
      }
      return channel == null ? "there is no connection" : "the broker does not answer";
    } finally {
      outcomes.unlock();
    }
  }

  @Override
  public void close() {
    outcomes.lock();
    if (!closed) {
      closed = true;
      boolean underWay = !unconfirmed.isEmpty();
      stop();
      doubt(CLOSED);
      hangUp(!underWay);
    }
    outcomes.unlockWhenTold();
    broker.closed(this);
  }

  // The writer thread.

  /** Writes what may be written, until the publisher stops. */
  void write() {
    try {
      while (awaitWork()) {
        Channel open = openChannel();
        if (open != null) {
          sendFirst(open);
        }
      }
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
  }

  /** Something that cannot go wrong did: nobody is to wait for this publisher. */
  void fail(Throwable why) {
    lose(new Outcome.Unknown("the publisher failed: " + why.getClass().getName()));
  }

  /** There is no thread to write on: what comes is told so. */
  void hasNoWriter() {
    outcomes.lock();
    try {
      afterStop = new Outcome.Unavailable(Reason.OTHER, "no thread is left to write to RabbitMQ");
      stop();
    } finally {
      outcomes.unlock();
    }
  }

  private boolean awaitWork() {
    outcomes.lock();
    try {
      while (!stopped && (ready.isEmpty() || blocked || (oneByOne > 0 && !unconfirmed.isEmpty()))) {
        changed.awaitUninterruptibly();
      }
      return !stopped;
    } finally {
      outcomes.unlock();
    }
  }

  private @Nullable Channel openChannel() {
    RabbitLink fresh = null;
    Connection present;
    outcomes.lock();
    try {
      if (channel != null || stopped) {
        return channel;
      }
      present = connection;
      if (present == null || !present.isOpen()) {
        hangUp(true);
        fresh = new RabbitLink();
        link = fresh;
      }
    } finally {
      outcomes.unlock();
    }
    try {
      if (fresh != null) {
        present = fresh.connect(broker.settings(), "twinbox-lane-" + lane);
        RabbitLink own = fresh;
        present.addBlockedListener(why -> blocked(own, true), () -> blocked(own, false));
      }
      if (present == null) {
        return null; // cannot be: without a connection, one was made
      }
      Channel open = present.createChannel();
      if (open == null) {
        throw new IOException("the connection has no channel left");
      }
      open.confirmSelect();
      return use(present, open) ? open : null;
    } catch (IOException | TimeoutException | RuntimeException e) {
      unreachable(RabbitErrors.unavailable(e));
      return null;
    }
  }

  private boolean use(Connection present, Channel open) {
    outcomes.lock();
    try {
      if (stopped) {
        return false;
      }
      connection = present;
      channel = open;
      published = 0;
    } finally {
      outcomes.unlock();
    }
    open.addConfirmListener(
        (number, multiple) -> confirmed(open, number, multiple, true),
        (number, multiple) -> confirmed(open, number, multiple, false));
    open.addReturnListener(returned -> returned(open, returned));
    // Last: a channel that is closed already calls it at once.
    open.addShutdownListener(signal -> shutDown(open, signal));
    return true;
  }

  private void sendFirst(Channel open) {
    RabbitSend send;
    long number;
    outcomes.lock();
    try {
      if (stopped || channel != open || ready.isEmpty()) {
        return;
      }
      send = ready.remove();
      long now = System.nanoTime();
      if (send.hasExpired(now)) {
        finish(send, send.expired());
        return;
      }
      number = ++published;
      send.since = now;
      unconfirmed.put(number, send);
    } finally {
      outcomes.unlock();
    }
    try {
      open.basicPublish(
          send.exchange,
          send.routingKey,
          true,
          RabbitMessageWriter.properties(send.record(), number, expiration(send)),
          RabbitMessageWriter.body(send.record()));
    } catch (ShutdownSignalException e) {
      shutDown(open, e);
    } catch (RuntimeException e) {
      unsendable(open, number, send, e);
    } catch (IOException e) {
      lose(new Outcome.Unknown("connection lost: " + e.getMessage()));
    }
  }

  private @Nullable String expiration(RabbitSend send) {
    Long left = send.nanosLeft(send.since);
    return left != null && broker.mayExpire(routes.of(send.record().destination()))
        ? Long.toString(Math.max(1, left / 1_000_000))
        : null;
  }

  /**
   * The client found, before it wrote anything, that AMQP has no room for such a header, or the row
   * was not written by an Outbox and cannot be encoded.
   */
  private void unsendable(Channel open, long number, RabbitSend send, RuntimeException e) {
    outcomes.lock();
    try {
      if (channel == open && unconfirmed.remove(number, send)) {
        published--;
        finish(send, new Outcome.Rejected(Reason.MALFORMED, "cannot be encoded: " + e));
      }
    } finally {
      outcomes.unlock();
    }
  }

  // The client's reader thread.

  private void confirmed(Channel open, long number, boolean multiple, boolean ack) {
    outcomes.lock();
    try {
      if (channel != open) {
        return;
      }
      if (!multiple) {
        RabbitSend send = unconfirmed.remove(number);
        if (send != null) {
          finish(send, answer(send, ack));
        }
        return;
      }
      List<RabbitSend> answered = new ArrayList<>();
      Iterator<Map.Entry<Long, RabbitSend>> oldest = unconfirmed.entrySet().iterator();
      while (oldest.hasNext()) {
        Map.Entry<Long, RabbitSend> entry = oldest.next();
        if (entry.getKey() > number) {
          break;
        }
        answered.add(entry.getValue());
        oldest.remove();
      }
      answered.forEach(send -> finish(send, answer(send, ack)));
    } finally {
      outcomes.unlock();
    }
  }

  private static Outcome answer(RabbitSend send, boolean ack) {
    if (send.returned != null) {
      return new Outcome.Unavailable(Reason.UNROUTABLE, send.returned);
    }
    return ack
        ? Outcome.PUBLISHED
        : new Outcome.Failed(Reason.NACKED, "a queue refused the message, or the broker failed");
  }

  private void returned(Channel open, Return message) {
    Long number = RabbitMessageWriter.publishNumber(message.getProperties());
    outcomes.lock();
    try {
      RabbitSend send = channel == open && number != null ? unconfirmed.get(number) : null;
      if (send != null) {
        send.returned =
            "%s %s: exchange '%s', routing key '%s'"
                .formatted(
                    message.getReplyCode(),
                    message.getReplyText(),
                    message.getExchange(),
                    message.getRoutingKey());
      }
    } finally {
      outcomes.unlock();
    }
  }

  private void shutDown(Channel open, ShutdownSignalException signal) {
    AMQP.Channel.Close close = RabbitErrors.channelClose(signal);
    outcomes.lock();
    try {
      if (channel != open) {
        return;
      }
      channel = null;
      changed.signalAll();
      if (unconfirmed.isEmpty()) {
        return; // an idle connection was lost: the next record opens another one
      }
      if (close == null) {
        lost(signal);
      } else {
        blame(close);
      }
    } finally {
      outcomes.unlock();
    }
  }

  /** The connection has ended, by itself or since the broker wanted it. */
  private void lost(ShutdownSignalException signal) {
    Outcome unknown = new Outcome.Unknown("connection lost: " + signal.getMessage());
    AMQP.Connection.Close close = RabbitErrors.connectionClose(signal);
    Outcome said =
        close == null ? unknown : RabbitErrors.outcome(close.getReplyCode(), close.getReplyText());
    boolean alone = unconfirmed.size() == 1;
    int suspects = unsettled;
    boolean blamed = said instanceof Outcome.Unavailable ? !unconfirmed.isEmpty() : alone;
    if (blamed && !(said instanceof Outcome.Unknown)) {
      settle(unconfirmed.values().iterator().next(), said);
    }
    stop();
    if (said instanceof Outcome.Failed && !alone) {
      broker.suspect(lane, suspects); // over one message; which one, is found one by one
    }
    doubt(unknown);
  }

  /** The broker closed the channel over one message. Which one? */
  private void blame(AMQP.Channel.Close close) {
    if (unconfirmed.size() == 1) {
      RabbitSend culprit = unconfirmed.values().iterator().next();
      unconfirmed.clear();
      finish(culprit, RabbitErrors.outcome(close));
      return;
    }
    String exchange = RabbitErrors.culprit(close);
    boolean found = false;
    if (exchange != null) {
      Outcome outcome = RabbitErrors.outcome(close);
      for (RabbitSend send : unconfirmed.values()) {
        if (send.exchange.equals(exchange)) {
          found = true;
          settle(send, outcome);
        }
      }
    }
    int suspects = unsettled;
    stop();
    if (!found) {
      broker.suspect(lane, suspects);
    }
    doubt(new Outcome.Unknown("the channel was closed: " + close.getReplyText()));
  }

  private void blocked(RabbitLink own, boolean now) {
    outcomes.lock();
    try {
      if (link == own) {
        blocked = now;
        blockedSince = System.nanoTime();
        changed.signalAll();
      }
    } finally {
      outcomes.unlock();
    }
  }

  // The broker's clock.

  /** Gives up what has waited too long. */
  void tick(long now) {
    outcomes.lock();
    try {
      if (anyMayExpire) {
        expire(now);
      }
      // Also when stopped: what was sent before still wants an outcome.
      RabbitSend oldest =
          unconfirmed.isEmpty() ? ready.peek() : unconfirmed.values().iterator().next();
      if (oldest == null) {
        return;
      }
      if (blocked
          && now - Math.max(blockedSince, oldest.since) > broker.blockedTimeout().toNanos()) {
        giveUp(
            oldest,
            new Outcome.Unavailable(
                Reason.BLOCKED,
                "the broker has been blocking publishers for %s: memory or disk alarm"
                    .formatted(broker.blockedTimeout())));
      } else if (!unconfirmed.isEmpty() && now - oldest.since > broker.confirmTimeout().toNanos()) {
        giveUp(
            oldest,
            new Outcome.Unavailable(
                Reason.UNREACHABLE, "not confirmed within " + broker.confirmTimeout()));
      }
    } finally {
      outcomes.unlock();
    }
  }

  /** While the broker takes nothing, what waits for it need not wait beyond its time. */
  private void expire(long now) {
    List<RabbitSend> late = ready.stream().filter(send -> send.hasExpired(now)).toList();
    if (!late.isEmpty()) {
      ready.removeAll(late);
      late.forEach(send -> finish(send, send.expired()));
    }
  }

  private void giveUp(RabbitSend oldest, Outcome outcome) {
    settle(oldest, outcome);
    lose(new Outcome.Unknown("the broker does not answer"));
  }

  // State, under the lock.

  private void makeReady(RabbitSend send) {
    ready.add(send);
    changed.signalAll();
  }

  private void finish(RabbitSend send, Outcome outcome) {
    if (!settle(send, outcome)) {
      return;
    }
    if (oneByOne > 0) {
      oneByOne--;
      changed.signalAll();
    }
    if (outcome instanceof Outcome.Published || outcome instanceof Outcome.Rejected) {
      RabbitSend next = keyOrdering.leave(send);
      if (next != null && !stopped) {
        makeReady(next);
      }
    } else if (outcome instanceof Outcome.Failed) {
      keyOrdering.fail(send, follower -> settle(follower, BEHIND_FAILURE));
    } else {
      stop();
    }
  }

  private void unreachable(Outcome.Unavailable why) {
    outcomes.lock();
    try {
      RabbitSend first = ready.peek();
      if (!stopped && first != null) {
        settle(first, why);
        stop();
      }
      hangUp(false);
    } finally {
      outcomes.unlock();
    }
  }

  /** The connection is of no use any more. */
  private void lose(Outcome outcome) {
    outcomes.lock();
    try {
      stop();
      doubt(outcome);
      hangUp(false);
    } finally {
      outcomes.unlock();
    }
  }

  /** Sends nothing any more. What was sent may still be confirmed. */
  private void stop() {
    if (!stopped && oneByOne > 0) {
      broker.suspect(lane, oneByOne);
    }
    stopped = true;
    Outcome outcome = closed ? CLOSED : AFTER_STOP;
    ready.forEach(send -> settle(send, outcome));
    ready.clear();
    keyOrdering.clear(send -> settle(send, outcome));
    changed.signalAll();
  }

  /** Nothing of what was sent can be confirmed any more. */
  private void doubt(Outcome outcome) {
    channel = null;
    unconfirmed.values().forEach(send -> settle(send, outcome));
    unconfirmed.clear();
  }

  private void hangUp(boolean politely) {
    RabbitLink present = link;
    link = null;
    connection = null;
    channel = null;
    blocked = false;
    if (present == null) {
      return;
    }
    if (politely) {
      present.close();
    } else {
      present.cut();
    }
  }

  private boolean settle(RabbitSend send, Outcome outcome) {
    boolean first = outcomes.settle(send, outcome);
    if (first) {
      unsettled--;
    }
    return first;
  }
}
