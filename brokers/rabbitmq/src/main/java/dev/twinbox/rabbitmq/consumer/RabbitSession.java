package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.ShutdownSignalException;
import dev.twinbox.broker.Supervision;
import dev.twinbox.inbox.Pauses;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.doctor.StartGate;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a connection of its own and its channels alive: connects, watches, and begins anew when
 * something is lost. The client's automatic recovery is off, because it hides when deliveries in
 * hand have become void.
 */
final class RabbitSession implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(RabbitSession.class);
  private static final long LOOK_MILLIS = 50;
  private static final long DEPTH_NANOS = Duration.ofSeconds(5).toNanos();
  private static final int HEARTBEAT_SECONDS = 10;
  private static final Duration PATIENCE_AFTER_INTERRUPT = Duration.ofSeconds(5);
  private static final int CLOSE_MILLIS = 3_000;

  private final StartGate gate;
  private final ReadableConnections connections;
  private final Receiver receiver;
  private final String queue;
  private final int prefetch;
  private final int batchSize;
  private final @Nullable ChannelWorker[] workers;
  private final Pauses pauses = new Pauses();
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final Thread thread;
  private volatile Map<String, Long> depth = Map.of();
  private volatile boolean depthWanted;
  private volatile long closeBy;
  private long depthNotedAt = System.nanoTime() - DEPTH_NANOS;

  RabbitSession(
      StartGate gate,
      ConnectionFactory users,
      List<Address> addresses,
      Receiver receiver,
      String queue,
      int prefetch,
      int batchSize,
      int channels) {
    this.gate = gate;
    ConnectionFactory factory = users.clone();
    factory.setAutomaticRecoveryEnabled(false);
    factory.setTopologyRecoveryEnabled(false);
    // What the broker has taken must be read here, or it would close the connection again and
    // again.
    factory.setRequestedFrameMax(0);
    factory.setMaxInboundMessageBodySize(Integer.MAX_VALUE);
    if (factory.getRequestedHeartbeat() == ConnectionFactory.DEFAULT_HEARTBEAT) {
      factory.setRequestedHeartbeat(HEARTBEAT_SECONDS);
    }
    connections = new ReadableConnections(factory, addresses);
    this.receiver = receiver;
    this.queue = queue;
    this.prefetch = prefetch;
    this.batchSize = batchSize;
    workers = new ChannelWorker[channels];
    thread = Supervision.thread(name() + "-connection", this);
  }

  void start() {
    thread.start();
  }

  void close(long deadline) {
    closeBy = deadline;
    stopping.countDown();
    try {
      long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      thread.join(Math.max(1, millis) + 2L * CLOSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void run() {
    while (!isStopping()) {
      // Without this thread nothing is consumed: whatever it is, it goes on.
      Supervision.attempt(name(), this::consume);
      pause(pauses.next());
    }
  }

  private void consume() {
    if (!gate.isOpen()) {
      return;
    }
    Connection connection = null;
    try {
      connection = connections.connect(name(), () -> !isStopping());
      watch(connection);
    } catch (IOException | TimeoutException | RuntimeException e) {
      Throwable cause = e.getCause() instanceof ShutdownSignalException s ? s : e;
      log.warn("Queue '{}' is not consumed, to be tried again: {}", queue, cause.toString());
    } catch (Error e) { // such as a lack of threads
      log.error("Queue '{}' is not consumed, to be tried again", queue, e);
    } finally {
      // Nobody ends this thread by an interrupt; with the flag nothing could be waited for.
      Thread.interrupted();
      depth = Map.of();
      end(connection);
    }
  }

  private void watch(Connection connection) throws IOException {
    while (!isStopping()) {
      if (!connection.isOpen()) {
        throw new IOException("The connection was lost", connection.getCloseReason());
      }
      for (int i = 0; i < workers.length; i++) {
        look(connection, i);
      }
      noteDepth(connection);
      pause(Duration.ofMillis(LOOK_MILLIS));
    }
  }

  /** On a channel of its own, which a queue that is missing would close. */
  private void noteDepth(Connection connection) {
    long now = System.nanoTime();
    if (!depthWanted || now - depthNotedAt < DEPTH_NANOS) {
      return;
    }
    depthNotedAt = now;
    try (Channel channel = connection.createChannel()) {
      depth =
          channel == null
              ? Map.of()
              : Map.of(queue, (long) channel.queueDeclarePassive(queue).getMessageCount());
    } catch (IOException | TimeoutException | RuntimeException e) {
      depth = Map.of();
      log.debug("The depth of queue '{}' is unknown", queue, e);
    }
  }

  Map<String, Long> lag() {
    depthWanted = true;
    return depth;
  }

  private void look(Connection connection, int number) throws IOException {
    ChannelWorker worker = workers[number];
    if (worker == null) {
      workers[number] = open(connection, number);
      return;
    }
    if (!worker.isLost()) {
      pauses.reset();
    }
    long since = worker.watch().hangsSince();
    if (since != 0) {
      log.error(
          "A handler of queue '{}' has been running for more than {}; it is interrupted and its"
              + " channel's messages are left to others",
          queue,
          receiver.handlerTimeLimit());
      abort(worker.getChannel());
      worker.watch().interrupt(since);
    }
    // A new channel only when the old one's handler has ended: each channel has one thread.
    if (worker.isLost() && hasEnded(worker, System.nanoTime())) {
      workers[number] = null;
      abort(worker.getChannel());
      pause(pauses.next());
    }
  }

  private ChannelWorker open(Connection connection, int number) throws IOException {
    Channel channel = connection.createChannel();
    if (channel == null) {
      throw new IOException("The connection has no channel left");
    }
    ChannelWorker worker =
        new ChannelWorker(name() + "-" + (number + 1), channel, receiver, queue, batchSize);
    worker.start(prefetch);
    return worker;
  }

  /** Lets the workers end, within the deadline when closing, and closes the connection. */
  private void end(@Nullable Connection connection) {
    List<ChannelWorker> ending = new ArrayList<>();
    for (ChannelWorker worker : workers) {
      if (worker != null) {
        worker.stop();
        ending.add(worker);
      }
    }
    for (ChannelWorker worker : ending) {
      awaitEnd(worker);
    }
    for (int i = 0; i < workers.length; i++) {
      workers[i] = null;
    }
    if (connection != null) {
      connection.abort(CLOSE_MILLIS);
    }
  }

  private void awaitEnd(ChannelWorker worker) {
    while (!hasEnded(worker, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS))) {
      boolean late = isStopping() && System.nanoTime() - closeBy > 0;
      if (late || worker.watch().ignoresInterrupt(PATIENCE_AFTER_INTERRUPT)) {
        // The other channels have to go on. Its channel is lost, so it ends after its handler.
        log.warn("A handler of queue '{}' did not end in time and is not waited for", queue);
        worker.abandon();
        return;
      }
      long since = worker.watch().hangsSince();
      if (since != 0) {
        log.warn("A handler of queue '{}' did not end in time and is interrupted", queue);
        worker.watch().interrupt(since);
      }
    }
  }

  private static boolean hasEnded(ChannelWorker worker, long deadline) {
    try {
      return worker.awaitEnd(deadline);
    } catch (InterruptedException e) {
      log.debug("Interrupted while a handler was waited for"); // it may run still
      return false;
    }
  }

  private static void abort(Channel channel) {
    try {
      channel.abort();
    } catch (IOException e) {
      log.debug("A channel did not close", e);
    }
  }

  private String name() {
    return "twinbox-inbox-%s-rabbitmq".formatted(receiver.consumer());
  }

  private boolean isStopping() {
    return stopping.getCount() == 0;
  }

  private void pause(Duration duration) {
    try {
      stopping.await(duration.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      log.debug("Interrupted in a pause"); // the end is told by stopping
    }
  }
}
