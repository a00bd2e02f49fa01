package dev.twinbox.rocketmq.doctor;

import dev.twinbox.broker.doctor.Check;

/** What is looked for at RocketMQ's brokers and topics. */
public enum RocketCheck implements Check {
  /** Of a broker: to disk later. */
  FLUSH_ASYNC("A crash of the broker's machine loses messages that were confirmed."),
  /** Of a broker: to slaves later, or to none. */
  REPLICATION_ASYNC("The loss of the master's disk loses messages that were confirmed."),
  /** Of a master that waits for slaves. */
  IN_SYNC_REPLICAS("The master confirms messages that only it has, although it is SYNC_MASTER."),
  /** Below two, where it is the number that counts. */
  MIN_IN_SYNC_REPLICAS("With its slaves down, the master confirms messages that only it has."),
  /** A master that would wait for one. */
  SLAVE_MISSING("Nothing is confirmed until it is there: messages wait.", false),
  /** Of a broker. */
  TOPIC_AUTO_CREATION("A misspelt topic comes into being, on one broker, instead of failing."),
  /** Of a broker: hours. */
  FILE_RESERVED_TIME("Messages are deleted before a consumer that was down has read them."),
  /** Of a broker, longer than the dedup horizon. */
  RESERVED_BEYOND_HORIZON("What is read later than the dedup horizon is refused by the inbox."),
  /** Of a broker. */
  DELETED_WHEN_DISK_FULL("A disk that fills up deletes messages, however young, unread."),
  /** Of a broker, below the outbox's. */
  MAX_MESSAGE_SIZE("Messages that the outbox takes become dead letters."),
  /** Does not exist. */
  TOPIC_UNKNOWN("Messages wait for it during the grace period and become dead letters.", false),
  /** No queue can be written to. */
  TOPIC_NOT_WRITEABLE("Messages wait until it can be written to.", false),
  /** On several brokers, and not ordered. */
  TOPIC_NOT_ORDERED("A broker that goes or comes moves keys to other queues: order is lost."),
  /** Delayed or transactional. */
  TOPIC_TYPE("Messages are delivered late, or never, unless they have what the type asks for."),
  /** Not FIFO. */
  TOPIC_NOT_FIFO("Consumers that come through RocketMQ's proxy get a key's messages in any order."),
  /** Of a group. */
  GROUP_DISABLED("The broker gives the group nothing to consume.", false);

  private final String risk;
  private final boolean refused;

  RocketCheck(String risk) {
    this(risk, true);
  }

  RocketCheck(String risk, boolean refused) {
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
