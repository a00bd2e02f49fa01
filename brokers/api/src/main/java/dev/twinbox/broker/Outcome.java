package dev.twinbox.broker;

/** What became of one handed-over message. */
public sealed interface Outcome {
  /** The broker has confirmed that it keeps the message. */
  record Published() implements Outcome {}

  /** The broker will never take this message: it becomes a dead letter, its neighbours go on. */
  record Rejected(Reason reason, String detail) implements Outcome {}

  /** This message failed, but may succeed later: an attempt is counted. */
  record Failed(Reason reason, String detail) implements Outcome {}

  /** The destination cannot take messages now: no attempt is counted, nothing is written. */
  record Unavailable(Reason reason, String detail) implements Outcome {}

  /** Nobody can know: the message is published again with the same id. */
  record Unknown(String detail) implements Outcome {}

  /** The one instance that is needed of {@link Published}. */
  Outcome PUBLISHED = new Published();

  /** Why a message was not published; the code stands in dead letters, metrics and logs. */
  enum Reason {
    /** Larger than the broker takes. */
    TOO_LARGE,
    /** The broker calls it malformed. */
    MALFORMED,
    /** The broker returned it: no queue is bound for it. */
    UNROUTABLE,
    /** Topic or exchange does not exist. */
    MISSING_DESTINATION,
    /** The broker's access rules forbid it. */
    NOT_AUTHORISED,
    /** Credentials were refused, or do not open the virtual host. */
    NOT_AUTHENTICATED,
    /** The broker answered with a negative acknowledgement. */
    NACKED,
    /** No connection to the broker. */
    UNREACHABLE,
    /** The broker asked publishers to wait (RabbitMQ memory or disk alarm). */
    BLOCKED,
    /** A partition of the topic has no leader. */
    NO_LEADER,
    /** Too few replicas are in sync. */
    NOT_ENOUGH_REPLICAS,
    /** Its expiry time passed before it could be published. */
    EXPIRED,
    /** The destination names a broker that this relay has no configuration for, or is malformed. */
    UNKNOWN_DESTINATION,
    /** Messages could be lost there, by what the guard found; it is looked at again and again. */
    UNSAFE,
    /** The broker refuses the time of publication: some machine's clock is wrong. */
    WRONG_CLOCK,
    /** Topic, broker or relay are set up so that nothing is taken; see the detail. */
    REFUSED,
    /** Anything else; see the detail. */
    OTHER;

    /** Lower case with hyphens, as stored and shown: {@code too-large}. */
    public String code() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
  }
}
