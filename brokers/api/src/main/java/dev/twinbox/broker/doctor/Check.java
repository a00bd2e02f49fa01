package dev.twinbox.broker.doctor;

import java.util.Locale;

/**
 * Everything that is looked for, with what can come of it. The codes are stable: scripts may rely
 * on them. docs/operations.md lists them all.
 */
public enum Check {
  /** The subject was looked at and is well. */
  EXAMINED(""),

  // The database.

  /** No connection. */
  DATABASE_UNREACHABLE("Nothing could be checked there."),
  /** In recovery. */
  REPLICA("A replica takes no writes, and shows what the primary may still lose."),
  /** Too old. */
  SERVER_VERSION("This version lacks what Twinbox's tables need."),
  /** Not UTF8. */
  DATABASE_ENCODING(
      "Text that the encoding does not have is refused, or stored as bytes that nobody can read."),
  /** Off. */
  FSYNC_OFF("A crash of the machine can destroy what was committed, and the database with it."),
  /** Off. */
  FULL_PAGE_WRITES_OFF("A crash of the machine can leave torn pages: corrupt tables."),
  /** Off. */
  AUTOVACUUM_OFF("Tables grow without end, until transaction ids run out and writes stop."),
  /** This machine and the database disagree about the time. */
  CLOCK_SKEW(
      "A message's id carries this machine's time; off by days, consumers refuse the message."),
  /** Nothing ends a forgotten transaction. */
  IDLE_TRANSACTIONS_UNLIMITED(
      "A forgotten transaction keeps the outbox from being emptied, until the disk is full."),
  /** One is open. */
  LONG_TRANSACTION("It holds its own messages back and keeps the outbox from being emptied."),
  /** The driver's own setting, where a proxy is in between. */
  NAMED_STATEMENTS_BEHIND_PROXY(
      "Twinbox does without; statements of your own fail, or run another client's statement."),
  /** No tables. */
  SCHEMA_MISSING("Nothing can be enqueued, relayed or received."),
  /** Older than the code. */
  SCHEMA_TOO_OLD("This code needs what a later migration makes."),
  /** Newer than the code. */
  SCHEMA_TOO_NEW("The tables no longer serve this code."),
  /** The role lacks a right. */
  GRANT_MISSING("The role cannot do its work."),

  /** As after a TRUNCATE of all tables. */
  ROWS_MISSING("Nothing can be enqueued, relayed or received without them."),

  // The outbox.

  /** Another cluster, or positions that went back. */
  RESTORED_CLUSTER("Lanes that remember another cluster would pass over messages.", false),
  /** Cache, increment or cycle. */
  SEQUENCE_CHANGED("Positions would not rise as they are drawn: rows are passed over and lost."),
  /** xid or position. */
  COLUMN_DEFAULT_CHANGED("A position could be older than its transaction: rows are lost."),
  /** Of the outbox. */
  INDEX_MISSING("Each poll reads the whole outbox."),
  /** Of the ring. */
  RING_LEAF_MISSING("Messages whose position falls there cannot be enqueued."),
  /** A lane without its row or state. */
  LANE_MISSING("Messages of that lane are never published."),
  /** Rows whose lane no broker has. */
  LANE_UNKNOWN(
      "No relay reads them: they are never published, and keep the outbox from being emptied.",
      false),

  // The inbox.

  /** The dedup's. */
  INBOX_KEY_MISSING("Redelivered messages are not recognised and take effect again."),
  /** Tomorrow's. */
  INBOX_DAY_MISSING("Upkeep does not run: the table of future ids grows, and nothing is dropped."),

  /** Closed for long. */
  INBOX_DAY_NOT_DROPPED("Upkeep does not come through: the inbox grows."),
  /** Of the retention. */
  INBOX_ROW_MISSING("Nobody can be registered: nothing is consumed until it is there.", false),

  // Brokers.

  /** A client setting that breaks a guarantee. */
  CLIENT_SETTING("The broker's client would lose, repeat or reorder messages."),
  /** No connection. */
  BROKER_UNREACHABLE("Nothing could be checked there."),
  /** No permission, no management interface, or a kind of broker that cannot be asked. */
  NOT_READABLE("What cannot be read may be unsafe."),
  /** A destination of a broker that is not configured here. */
  BROKER_NOT_CONFIGURED("Its messages wait for a relay that knows the broker."),
  /** No TLS. */
  CONNECTION_IN_CLEAR("Credentials and messages can be read and changed on their way."),
  /** Memory or disk. */
  ALARM("Publishers are blocked until it ends; messages wait."),

  // Kafka.

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
  OFFSETS_RETENTION("A group that is down for longer forgets where it was."),

  // RabbitMQ.

  /** Does not exist. */
  EXCHANGE_MISSING("Messages wait for it during the grace period and become dead letters.", false),
  /** Gone after a restart. */
  EXCHANGE_NOT_DURABLE("A restart of the broker removes it, with all that is bound to it."),
  /** Goes with its last binding. */
  EXCHANGE_AUTO_DELETE("It is removed with its last binding, and messages have no place to go."),
  /** Takes what has no route. */
  ALTERNATE_EXCHANGE("A message without a route counts as published, and its consumer misses it."),
  /** Nothing is bound. */
  NO_ROUTE("Messages wait for a queue during the grace period and become dead letters.", false),
  /** Does not exist. */
  QUEUE_MISSING("Nothing is consumed until it exists.", false),
  /** Gone after a restart. */
  QUEUE_NOT_DURABLE("A restart of the broker loses the queue and its messages."),
  /** Exclusive, auto-delete, or expiring. */
  QUEUE_TEMPORARY("The queue is removed, with its messages, when nobody uses it."),
  /** Overflow. */
  QUEUE_DROPS_OLDEST("When the queue is full, its oldest messages are dropped silently."),
  /** Messages expire. */
  MESSAGE_TTL("Messages that wait longer leave the queue unread."),
  /** Of a quorum queue. */
  DELIVERY_LIMIT("A message that is redelivered more often, as by restarts, is dropped."),
  /** Does not exist. */
  DEAD_LETTER_EXCHANGE_MISSING("What is dead-lettered is dropped silently."),
  /** Leads to no durable queue. */
  DEAD_LETTER_NO_ROUTE("What is dead-lettered is dropped silently."),
  /** Without confirms. */
  DEAD_LETTER_AT_MOST_ONCE("A message can be lost on its way to the dead-letter exchange."),
  /** One node. */
  QUEUE_NOT_REPLICATED("The loss of its one node's disk loses its messages."),
  /** Several consumers. */
  NO_SINGLE_ACTIVE_CONSUMER("With more than one consumer the order of keys is lost."),
  /** Of deliveries. */
  CONSUMER_TIMEOUT("A message that is retried for longer closes the consumer's channel.");

  private final String risk;
  private final boolean refused;

  Check(String risk) {
    this(risk, true);
  }

  /**
   * Not refused is what does no further harm by going on: deployments race, so the publisher itself
   * waits for what is missing; and what is lost already does not come back.
   */
  Check(String risk, boolean refused) {
    this.risk = risk;
    this.refused = refused;
  }

  /** The stable name: {@code replication-factor}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What can come of it, in a sentence. */
  public String risk() {
    return risk;
  }

  boolean isRefused() {
    return refused;
  }
}
