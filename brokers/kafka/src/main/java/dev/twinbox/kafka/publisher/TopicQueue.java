package dev.twinbox.kafka.publisher;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.function.Predicate;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** The records of one topic: first they queue, then the client has them. Guarded by the lock. */
final class TopicQueue {
  final String topic;
  final Header destination;

  /** Not yet given to the client. */
  final ArrayDeque<KafkaSend> queued = new ArrayDeque<>();

  /** Given to the client, oldest first; settled ones are cleared from its front. */
  private final ArrayDeque<KafkaSend> sent = new ArrayDeque<>();

  long bytesInFlight;

  /** Whether the client was seen to know the topic. */
  boolean known;

  /** Since when the topic is being looked for; meaningful while something queues unknown. */
  long lookingSince;

  /** What the last look at the topic failed with. */
  @Nullable Throwable lookFailure;

  /** Whether it is on the publisher's list of queues to go on with. */
  boolean listed;

  /** When the topic was looked at last, on the clock of System.nanoTime. */
  long lookedAt;

  /** Records that are to get an outcome yet, those included that wait for their key's turn. */
  int outstanding;

  private int partitions;

  /** How many it has by now, if that is not so many. */
  private int partitionsNow;

  /** Partitions that have confirmed something to this publisher's client. */
  private final BitSet proven = new BitSet();

  TopicQueue(String topic, Header destination) {
    this.topic = topic;
    this.destination = destination;
  }

  /** How many partitions the topic has. */
  void partitions(int number) {
    partitionsNow = number;
  }

  /**
   * Whether the number of partitions has changed and nothing may be sent before all that was sent
   * is settled: a key that goes to another partition now must not overtake itself.
   */
  boolean isChanging() {
    if (partitionsNow == partitions) {
      return false;
    }
    if (partitions != 0 && oldestSent() != null) {
      return true;
    }
    partitions = partitionsNow;
    proven.clear();
    return false;
  }

  /**
   * The partition of a key, by Kafka's own rule, and by the number of partitions that the order of
   * keys goes by here; the client may know of another one already.
   */
  int partition(byte[] key) {
    return Utils.toPositive(Utils.murmur2(key)) % partitions;
  }

  void proven(int partition) {
    proven.set(partition);
  }

  /**
   * Whether the broker would notice if records of the key came out of order: it knows the client
   * from an earlier record in the key's partition.
   */
  boolean keepsOrderOf(String key) {
    if (partitions == 0) {
      return false;
    }
    if (proven.cardinality() >= partitions) {
      return true;
    }
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    return proven.get(partition(bytes));
  }

  void sent(KafkaSend send) {
    sent.add(send);
    bytesInFlight += send.bytes;
  }

  void completed(KafkaSend send) {
    bytesInFlight -= send.bytes;
    oldestSent();
  }

  /** The oldest that the client has not answered for, or null. */
  @Nullable KafkaSend oldestSent() {
    KafkaSend oldest = sent.peek();
    while (oldest != null && oldest.isSettled()) {
      sent.poll();
      oldest = sent.peek();
    }
    return oldest;
  }

  /** Whether any that the client has not answered for is like this. */
  boolean anySent(Predicate<KafkaSend> like) {
    return sent.stream().anyMatch(send -> !send.isSettled() && like.test(send));
  }

  /** All that the client has, with some that are settled already. */
  Iterable<KafkaSend> allSent() {
    return sent;
  }
}
