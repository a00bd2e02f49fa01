package dev.twinbox.kafka.doctor;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Which topic a committed offset counts in. It stands in the commit's metadata, because a topic
 * that is deleted and made again has its name and offsets once more, and another id.
 *
 * @param cluster the cluster's id; empty when it has none
 * @param id the topic's id
 */
public record CommittedTopic(String cluster, Uuid id) {
  private static final Pattern METADATA =
      Pattern.compile("twinbox/1 cluster=(\\S*) topic=([A-Za-z0-9_-]{22})");

  /** What a commit says of it. */
  public String metadata() {
    return "twinbox/1 cluster=" + cluster + " topic=" + id;
  }

  /** Reads a commit's metadata; empty where another tool, or an older version, has committed. */
  public static Optional<CommittedTopic> parse(@Nullable String metadata) {
    Matcher matcher = METADATA.matcher(metadata == null ? "" : metadata);
    return matcher.matches()
        ? Optional.of(new CommittedTopic(matcher.group(1), Uuid.fromString(matcher.group(2))))
        : Optional.empty();
  }

  /**
   * Whether this is a former topic of the current one's name. Not where the clusters differ: who
   * copies offsets from one to another translates them, and leaves the metadata as it is.
   */
  public boolean isReplacedBy(CommittedTopic current) {
    return cluster.equals(current.cluster) && !id.equals(current.id);
  }
}
