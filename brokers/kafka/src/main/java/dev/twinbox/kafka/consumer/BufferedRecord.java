package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.Delivery;
import java.util.Optional;

/**
 * A polled record that is not settled yet.
 *
 * @param retry whether it failed before and stands at the head of its partition again
 * @param log how often the partition's log had gone back when it came, see {@link
 *     PartitionBuffer#logWentBack}
 */
record BufferedRecord(
    PartitionBuffer buffer,
    long offset,
    Optional<Integer> leaderEpoch,
    Delivery delivery,
    boolean retry,
    int log) {

  BufferedRecord asRetry() {
    return new BufferedRecord(buffer, offset, leaderEpoch, delivery.again(), true, log);
  }

  int bytes() {
    byte[] payload = delivery.payload();
    return payload == null ? 0 : payload.length;
  }
}
