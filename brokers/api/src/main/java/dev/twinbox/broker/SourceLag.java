package dev.twinbox.broker;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far a consumer is behind in one topic or queue, as the broker tells. Immutable.
 *
 * @param consumer a group with its broker, or a queue with its broker
 * @param source a topic, or the queue
 * @param lag how many messages it has not taken; null when that could not be read
 * @param consumers how many members or consumers there are; null when that could not be read
 * @param partitions the same for each partition; empty for a queue
 * @param error why it could not be read, or null
 */
public record SourceLag(
    String consumer,
    String source,
    @Nullable Long lag,
    @Nullable Integer consumers,
    List<Partition> partitions,
    @Nullable String error) {
  /** Keeps a copy. */
  public SourceLag {
    partitions = List.copyOf(partitions);
  }

  /**
   * A partition.
   *
   * @param committed the group's offset, or null when it has committed none
   * @param end the offset of the next message to come
   * @param lag how many are between, from the beginning where none is committed
   * @param withheld how many of them lie behind the last stable offset, which an open transaction
   *     of another producer holds
   */
  public record Partition(
      int partition, @Nullable Long committed, long end, long lag, long withheld) {
    /** Whether the group has read all that the broker delivers, and more is there. */
    public boolean waitsForTransaction() {
      return withheld > 0 && withheld == lag;
    }
  }

  /** It could not be read. */
  public static SourceLag unreadable(String consumer, String source, String error) {
    return new SourceLag(consumer, source, null, null, List.of(), error);
  }

  /** It could not be read, because of this error. */
  public static SourceLag unreadable(String consumer, String source, Throwable error) {
    String message = error.getMessage();
    return unreadable(
        consumer,
        source,
        message == null || message.isBlank()
            ? error.getClass().getSimpleName()
            : message.strip().replaceAll("\\s*\\R\\s*", " "));
  }
}
