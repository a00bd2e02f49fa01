package dev.twinbox.relay.kafka;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.function.Predicate;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** The records of one topic: first they queue, then the client has them. Guarded by the lock. */
final class TopicLine {
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

  /** Whether it is on the publisher's list of lines to go on with. */
  boolean listed;

  private int partitions;

  /** Partitions that have confirmed something to this publisher's client. */
  private final BitSet proven = new BitSet();

  TopicLine(String topic, Header destination) {
    this.topic = topic;
    this.destination = destination;
  }

  /** How many partitions the topic has. */
  void partitions(int number) {
    partitions = number;
  }

  void proven(int partition) {
    proven.set(partition);
  }

  /**
   * Whether the broker would notice if records of the key came out of order: it knows the client
   * from an earlier record in the key's partition. Keys are placed by Kafka's own rule; another one
   * is refused.
   */
  boolean keepsOrderOf(String key) {
    if (partitions == 0) {
      return false;
    }
    if (proven.cardinality() >= partitions) {
      return true;
    }
    byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
    return proven.get(Utils.toPositive(Utils.murmur2(bytes)) % partitions);
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
