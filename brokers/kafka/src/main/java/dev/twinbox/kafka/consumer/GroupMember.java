package dev.twinbox.kafka.consumer;

import dev.twinbox.broker.Supervision;
import dev.twinbox.inbox.Pauses;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.doctor.StartGate;
import dev.twinbox.kafka.doctor.ClientRefusal;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member of the group: a thread that polls and commits offsets, and a worker that handles.
 *
 * <p>Only the polling thread touches the Kafka consumer. An offset is committed when the database
 * has committed everything before it, and only while the partition is ours: what was revoked or
 * lost is forgotten first. A commit is waited for to its end; {@code wakeup} would take that away,
 * and is never called. The newer group protocol's client goes on with a commit that was woken up,
 * and may send it after a later one.
 */
final class GroupMember implements ConsumerRebalanceListener {
  private static final Logger log = LoggerFactory.getLogger(GroupMember.class);
  private static final Duration POLL = Duration.ofMillis(100);
  private static final Duration POLL_BESIDE_PAUSED = Duration.ofMillis(10);

  /** The client keeps to it too: after that it does not send the commit again. */
  private static final Duration COMMIT_LIMIT = Duration.ofSeconds(10);

  private final String name;
  private final Map<String, Object> properties;
  private final List<String> topics;
  private final Duration handlerTimeLimit;
  private final Duration revokeLimit;
  private final StartGate gate;
  private final PolledRecords polled;
  private final StartingPoints startingPoints;
  private final MemberLag lag;
  private final BatchWorker worker;
  private final Thread pollThread;
  private final Thread workThread;
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final Semaphore progressed = new Semaphore(0);
  private final Pauses pauses = new Pauses();
  private volatile @Nullable KafkaConsumer<byte[], byte[]> pollingConsumer;
  private volatile long closeBy;
  private boolean givenUp;

  GroupMember(
      String name,
      Receiver receiver,
      KafkaProperties properties,
      Map<String, Object> ownProperties,
      List<String> topics,
      Duration revokeLimit,
      StartGate gate,
      ClusterClient client,
      TopicIds ids) {
    this.name = name;
    this.gate = gate;
    this.properties = ownProperties;
    this.topics = topics;
    this.revokeLimit = revokeLimit;
    handlerTimeLimit = receiver.handlerTimeLimit();
    polled = new PolledRecords(properties.batchSize(), receiver.mayOvertake());
    startingPoints = new StartingPoints(name, polled, ids);
    lag = new MemberLag(name, polled, new HighWatermarks(client));
    worker =
        new BatchWorker(
            receiver,
            properties.batchSize() == 1,
            polled,
            () -> {
              if (polled.wantsPoll()) {
                endRest();
              }
            });
    pollThread = Supervision.thread(name + "-poll", this::run);
    workThread = Supervision.thread(name, worker);
  }

  void start() {
    workThread.start();
    pollThread.start();
  }

  /** Says that it is time to end, at the latest at the given {@link System#nanoTime()}. */
  void stop(long deadline) {
    closeBy = deadline;
    stopping.countDown();
    polled.close();
    endRest();
  }

  /** Waits for the end; interrupts a handler that does not come to it in time. */
  void awaitEnd(long deadline) throws InterruptedException {
    join(workThread, deadline);
    if (workThread.isAlive()) {
      log.warn("{}: a handler did not end in time and is interrupted", name);
      worker.watch().abandon();
      workThread.interrupt();
    }
    // The polling thread keeps to the deadline, and has to leave the group then.
    join(pollThread, deadline + Duration.ofSeconds(5).toNanos());
  }

  private static void join(Thread thread, long deadline) throws InterruptedException {
    long millis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
    thread.join(Math.max(1, millis));
  }

  private void run() {
    while (!isStopping()) {
      // Without this thread nothing is consumed: whatever it is, it goes on.
      Supervision.attempt(name, this::join);
      pause(pauses.next());
    }
  }

  private void join() {
    if (!gate.isOpen()) {
      return;
    }
    try (KafkaConsumer<byte[], byte[]> consumer = open()) {
      try {
        consumer.subscribe(topics, this);
        pollingConsumer = consumer;
        pollUntilStopped(consumer);
        finish(consumer);
      } finally {
        // Nobody ends this thread by an interrupt; whoever it was meant for, the client needs a
        // thread without the flag to leave the group.
        Thread.interrupted();
      }
    } catch (InterruptException e) {
      log.warn("{}: interrupted, the group is joined again", name);
    } catch (StartingPoints.TopicReplacedException e) {
      log.warn("{}: {}; the group is joined again", name, e.getMessage());
    } catch (RuntimeException | Error e) {
      log.error("{}: Kafka failed, the group is joined again", name, e);
    } finally {
      pollingConsumer = null;
      lag.forget();
      polled.forgetAll();
    }
  }

  private KafkaConsumer<byte[], byte[]> open() {
    try {
      return new KafkaConsumer<>(properties);
    } catch (KafkaException e) {
      // Without the cause, whose messages could show a secret among the settings.
      throw new IllegalStateException("No Kafka client: " + ClientRefusal.reason(e));
    }
  }

  private void pollUntilStopped(KafkaConsumer<byte[], byte[]> consumer) {
    while (!isStopping()) {
      if (worker.takeFailure()) {
        throw new IllegalStateException("The handling thread failed with records in work");
      }
      if (givenUp) {
        comeBack(consumer);
      } else {
        startingPoints.settle(consumer);
        poll(consumer);
        commit(consumer, polled.progress());
        giveUpWhatHangs(consumer);
      }
    }
  }

  private void poll(KafkaConsumer<byte[], byte[]> consumer) {
    try {
      applyPauses(consumer);
      ConsumerRecords<byte[], byte[]> records = fetch(consumer);
      for (TopicPartition partition : records.partitions()) {
        polled.add(partition, records.records(partition));
      }
      pauses.reset();
      lag.note(consumer);
    } catch (RetriableException e) {
      log.debug("{}: poll is tried again", name, e);
    }
  }

  /**
   * Records, or none after a while. A poll that may wait does not rest while records of paused
   * partitions lie in the buffer of the newer group protocol's consumer (KAFKA-21084): it takes a
   * core for itself. So it may not wait then, and the waiting is done here.
   */
  private ConsumerRecords<byte[], byte[]> fetch(KafkaConsumer<byte[], byte[]> consumer) {
    int paused = consumer.paused().size();
    if (paused == 0) {
      return consumer.poll(progressed.tryAcquire() ? Duration.ZERO : POLL);
    }
    ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ZERO);
    if (records.isEmpty()) {
      rest(paused == consumer.assignment().size() ? POLL : POLL_BESIDE_PAUSED);
    }
    return records;
  }

  private void rest(Duration atMost) {
    try {
      if (progressed.tryAcquire(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
        progressed.drainPermits();
      }
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  MemberLag lag() {
    return lag;
  }

  /** Anew before each poll, because a rebalance resumes what it assigns. */
  private void applyPauses(KafkaConsumer<byte[], byte[]> consumer) {
    Set<TopicPartition> assigned = consumer.assignment();
    Set<TopicPartition> toPause = polled.toPause(assigned);
    Set<TopicPartition> paused = consumer.paused();
    if (!paused.equals(toPause)) {
      Set<TopicPartition> toResume = new HashSet<>(paused);
      toResume.removeAll(toPause);
      consumer.resume(toResume);
      consumer.pause(toPause);
    }
  }

  private void commit(
      KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, OffsetAndMetadata> offsets) {
    if (offsets.isEmpty()) {
      return;
    }
    try {
      consumer.commitSync(offsets, COMMIT_LIMIT);
      polled.committed(offsets);
    } catch (RetriableException | RebalanceInProgressException e) {
      log.debug("{}: offsets are committed later", name, e);
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      // Lost partitions, for instance: the next poll tells. Others recognise what we have done.
      log.warn("{}: offsets were not committed: {}", name, e.toString());
    }
  }

  private void giveUpWhatHangs(KafkaConsumer<byte[], byte[]> consumer) {
    long since = worker.watch().hangsSince();
    if (since != 0) {
      log.error(
          "{}: a handler has been running for more than {}; it is interrupted and its partitions"
              + " are left to others",
          name,
          handlerTimeLimit);
      givenUp = true;
      worker.watch().interrupt(since);
      polled.forgetAll();
      consumer.unsubscribe();
    }
  }

  /** Joins the group again once the handler that hung has ended. */
  private void comeBack(KafkaConsumer<byte[], byte[]> consumer) {
    if (polled.isWorking()) {
      long since = worker.watch().hangsSince();
      if (since != 0) {
        worker.watch().interrupt(since);
      }
      pause(POLL);
    } else {
      givenUp = false;
      consumer.subscribe(topics, this);
    }
  }

  private void finish(KafkaConsumer<byte[], byte[]> consumer) {
    while (polled.isWorking() && !givenUp && System.nanoTime() - closeBy < 0) {
      poll(consumer); // with everything paused: the partitions stay ours until the end
    }
    if (!givenUp) {
      commit(consumer, polled.progress());
    }
  }

  @Override
  public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
    polled.assigned(partitions);
    KafkaConsumer<byte[], byte[]> consumer = pollingConsumer;
    if (consumer != null) {
      applyPauses(consumer);
    }
  }

  @Override
  public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
    KafkaConsumer<byte[], byte[]> consumer = pollingConsumer;
    if (consumer != null && !givenUp && !partitions.isEmpty()) {
      boolean finished = finishWork(partitions);
      if (!finished) {
        log.warn("{}: {} go to others while their batch is still in work", name, partitions);
      }
      Map<TopicPartition, OffsetAndMetadata> progress = polled.progress();
      progress.keySet().retainAll(partitions);
      commit(consumer, progress);
    }
    polled.forget(partitions);
  }

  /** Others own them already: an offset of ours could overwrite theirs. */
  @Override
  public void onPartitionsLost(Collection<TopicPartition> partitions) {
    polled.forget(partitions);
  }

  private boolean finishWork(Collection<TopicPartition> partitions) {
    try {
      return polled.finish(partitions, revokeLimit);
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  /** Ends a rest, or has the next poll not wait. */
  private void endRest() {
    if (progressed.availablePermits() == 0) {
      progressed.release();
    }
  }

  private boolean isStopping() {
    return stopping.getCount() == 0;
  }

  private void pause(Duration duration) {
    try {
      stopping.await(duration.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      log.debug("{}: interrupted in a pause", name); // the end is told by stopping
    }
  }
}
