package dev.twinbox.kafka.doctor;

import dev.twinbox.broker.doctor.Check;

/** What is looked for at a Kafka cluster and its consumer groups. */
public enum KafkaCheck implements Check {
  /** On. */
  AUTO_CREATE_TOPICS("A misspelt topic comes into being, with defaults, instead of failing."),
  /** Does not exist. */
  TOPIC_MISSING("Messages wait for it during the grace period and become dead letters.", false),
  /** Fewer than two. */
  REPLICATION_FACTOR("The loss of one broker loses messages that were confirmed."),
  /** Fewer than two. */
  MIN_INSYNC_REPLICAS("Messages are confirmed while only one broker has them."),
  /** As many as there are, or more. */
  ALL_REPLICAS_NEEDED("One broker down, as for a restart, stops publishing."),
  /** Allowed. */
  UNCLEAN_ELECTION("A replica that lags may become leader: confirmed messages are gone."),
  /** Fewer than assigned. */
  REPLICAS_OUT_OF_SYNC("One more failure stops publishing, or loses what is there."),
  /** Keyless messages, or events, in a compacted topic. */
  TOPIC_COMPACTED("Compaction keeps a key's last message only, and takes none without a key."),
  /** Of a topic. */
  RETENTION_TOO_SHORT("Messages are deleted before a consumer that was down has read them."),
  /** Of a topic, longer than the dedup horizon. */
  RETENTION_BEYOND_HORIZON("What is read later than the dedup horizon is refused by the inbox."),
  /** By bytes. */
  RETENTION_BY_SIZE("A burst deletes messages, however young, before they are read."),
  /** Below the outbox's. */
  MESSAGE_SIZE_LIMIT("Messages that the outbox takes become dead letters."),
  /** Latest. */
  OFFSET_RESET("A group without valid offsets skips what the topic holds."),
  /** Before the topic's beginning. */
  OFFSET_EXPIRED("Messages were deleted before this group has read them.", false),
  /** Beyond the topic's end. */
  OFFSET_BEYOND_END("The topic was deleted and made again, or has lost its end.", false),
  /** Committed in a former topic of the name. */
  OFFSET_OF_FORMER_TOPIC(
      "The topic was deleted and made again: what the group had not read of the old one is gone.",
      false),
  /** Of a group. */
  OFFSETS_RETENTION("A group that is down for longer forgets where it was.");

  private final String risk;
  private final boolean refused;

  KafkaCheck(String risk) {
    this(risk, true);
  }

  KafkaCheck(String risk, boolean refused) {
    this.risk = risk;
    this.refused = refused;
  }

  @Override
  public String risk() {
    return risk;
  }

  @Override
  public boolean isRefused() {
    return refused;
  }
}
