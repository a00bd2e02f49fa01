package dev.twinbox.broker.doctor;

/** What is looked for in databases, and at any broker. */
public enum CommonCheck implements Check {
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
  ALARM("Publishers are blocked until it ends; messages wait.");

  private final String risk;
  private final boolean refused;

  CommonCheck(String risk) {
    this(risk, true);
  }

  CommonCheck(String risk, boolean refused) {
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
