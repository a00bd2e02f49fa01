package dev.twinbox.kafka.publisher;

import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Outcome.Reason;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.jspecify.annotations.Nullable;

/**
 * What an exception of the Kafka client says about a message. Only what can be the message's own
 * fault is held against it; settings of the topic, of the broker or of this relay make the
 * destination unavailable. What the table does not name is unknown, and published again.
 */
final class KafkaErrors {
  private static final int MOST_CAUSES = 5;

  /** By simple name: older clients lack some of these classes. */
  private static final Map<String, Fault> FAULTS = new HashMap<>();

  private enum Blame {
    /** The message can never be taken. */
    MESSAGE,
    /** The message, or the topic for all messages like it: told apart by its neighbours. */
    MESSAGE_OR_TOPIC,
    /** Topic, broker or relay. */
    DESTINATION
  }

  private record Fault(Blame blame, Reason reason) {}

  static {
    on(Blame.MESSAGE, Reason.TOO_LARGE, "RecordTooLargeException");
    on(Blame.MESSAGE, Reason.MALFORMED, "SerializationException");
    on(Blame.MESSAGE, Reason.UNKNOWN_DESTINATION, "InvalidTopicException");

    // Without a key in a compacted topic: one message may lack it, or the topic be set up wrongly.
    on(Blame.MESSAGE_OR_TOPIC, Reason.MALFORMED, "InvalidRecordException");
    on(Blame.MESSAGE_OR_TOPIC, Reason.MALFORMED, "CorruptRecordException");
    // Said of a whole batch, so each of its records has to be tried by itself.
    on(Blame.MESSAGE_OR_TOPIC, Reason.TOO_LARGE, "RecordBatchTooLargeException");

    on(Blame.DESTINATION, Reason.WRONG_CLOCK, "InvalidTimestampException");
    on(
        Blame.DESTINATION,
        Reason.MISSING_DESTINATION,
        "UnknownTopicOrPartitionException",
        "UnknownTopicIdException");
    on(Blame.DESTINATION, Reason.NOT_AUTHORISED, "AuthorizationException");
    on(
        Blame.DESTINATION,
        Reason.NOT_AUTHENTICATED,
        "AuthenticationException",
        "SecurityDisabledException",
        "UnsupportedByAuthenticationException");
    on(
        Blame.DESTINATION,
        Reason.NOT_ENOUGH_REPLICAS,
        "NotEnoughReplicasException",
        "NotEnoughReplicasAfterAppendException");
    on(
        Blame.DESTINATION,
        Reason.NO_LEADER,
        "LeaderNotAvailableException",
        "NotLeaderOrFollowerException",
        "ReplicaNotAvailableException");
    on(
        Blame.DESTINATION,
        Reason.UNREACHABLE,
        "TimeoutException",
        "BrokerNotAvailableException",
        "BootstrapResolutionException",
        "RebootstrapRequiredException");
    // InvalidConfigurationException is the parent of much that a topic or broker is set up for.
    on(
        Blame.DESTINATION,
        Reason.REFUSED,
        "InvalidConfigurationException",
        "InvalidRequestException",
        "InvalidPartitionsException",
        "PolicyViolationException",
        "UnsupportedCompressionTypeException",
        "ThrottlingQuotaExceededException",
        "KafkaStorageException",
        "AuthorizerNotReadyException");
  }

  private KafkaErrors() {}

  private static void on(Blame blame, Reason reason, String... failures) {
    for (String failure : failures) {
      FAULTS.put(failure, new Fault(blame, reason));
    }
  }

  static Outcome outcome(Throwable failure) {
    String detail = detail(failure);
    Fault fault = fault(failure);
    if (fault == null) {
      return new Outcome.Unknown(detail);
    }
    return switch (fault.blame()) {
      case MESSAGE -> new Outcome.Rejected(fault.reason(), detail + remedy(fault.reason()));
      case MESSAGE_OR_TOPIC -> new Outcome.Failed(fault.reason(), detail);
      case DESTINATION -> new Outcome.Unavailable(fault.reason(), detail + remedy(fault.reason()));
    };
  }

  /** Why a topic cannot be reached; {@link Reason#OTHER} for what is not known to be about that. */
  static Reason reason(Throwable failure) {
    Fault fault = fault(failure);
    return fault == null || fault.blame() != Blame.DESTINATION ? Reason.OTHER : fault.reason();
  }

  private static @Nullable Fault fault(Throwable failure) {
    if (refusesTime(failure)) {
      return FAULTS.get("InvalidTimestampException");
    }
    for (Class<?> kind = failure.getClass(); kind != null; kind = kind.getSuperclass()) {
      Fault fault = FAULTS.get(kind.getSimpleName());
      if (fault != null) {
        return fault;
      }
    }
    return null;
  }

  /**
   * Whether the broker refuses the time of publication. Of a record in a batch of several the
   * client says only that it is invalid, with the broker's words: "Timestamp 1795897116659 of
   * message with offset 6 is out of range."
   */
  static boolean refusesTime(Throwable failure) {
    String said = message(failure);
    return failure instanceof InvalidTimestampException
        || (failure instanceof InvalidRecordException
            && said.startsWith("Timestamp ")
            && said.contains(" is out of range"));
  }

  private static String remedy(Reason reason) {
    return switch (reason) {
      case TOO_LARGE ->
          ". Raise max.request.size here and max.message.bytes of the topic, or store a reference.";
      case WRONG_CLOCK ->
          ". Set the clocks of this machine, of the database and of the brokers by NTP, or widen"
              + " message.timestamp.after.max.ms and message.timestamp.before.max.ms of the topic.";
      default -> "";
    };
  }

  /** Names and messages of the exception and its causes; of so many, since they may go round. */
  static String detail(@Nullable Throwable failure) {
    if (failure == null) {
      return "no answer";
    }
    StringBuilder text = new StringBuilder();
    int causes = 0;
    for (Throwable each = failure; each != null && causes < MOST_CAUSES; each = each.getCause()) {
      text.append(causes == 0 ? "" : " (")
          .append(each.getClass().getSimpleName())
          .append(": ")
          .append(message(each));
      causes++;
    }
    return text.append(")".repeat(causes - 1)).toString();
  }

  private static String message(Throwable failure) {
    try {
      return String.valueOf(failure.getMessage());
    } catch (RuntimeException e) {
      return "its message cannot be read";
    }
  }
}
