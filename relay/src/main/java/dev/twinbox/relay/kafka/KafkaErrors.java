package dev.twinbox.relay.kafka;

import dev.twinbox.relay.publish.Outcome;
import dev.twinbox.relay.publish.Outcome.Reason;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.LeaderNotAvailableException;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedForMessageFormatException;
import org.jspecify.annotations.Nullable;

/** What an exception of the Kafka client says about a message. */
final class KafkaErrors {
  private KafkaErrors() {}

  static Outcome outcome(Throwable failure) {
    String detail = detail(failure);
    if (failure instanceof RecordTooLargeException) {
      return new Outcome.Rejected(
          Reason.TOO_LARGE,
          detail
              + ". Raise max.request.size here and max.message.bytes of the topic, or store a"
              + " reference.");
    }
    if (failure instanceof InvalidRecordException
        || failure instanceof InvalidTimestampException
        || failure instanceof UnsupportedForMessageFormatException) {
      return new Outcome.Rejected(Reason.MALFORMED, detail);
    }
    if (failure instanceof RecordBatchTooLargeException) {
      // Said of a whole batch, so each of its records has to be tried by itself.
      return new Outcome.Failed(Reason.TOO_LARGE, detail);
    }
    if (failure instanceof InvalidTopicException) {
      return new Outcome.Rejected(Reason.UNKNOWN_DESTINATION, detail);
    }
    Reason reason = reason(failure);
    return reason == Reason.OTHER
        ? new Outcome.Unknown(detail)
        : new Outcome.Unavailable(reason, detail);
  }

  /** Why a topic cannot be reached; {@link Reason#OTHER} for what is not known to be about that. */
  static Reason reason(Throwable failure) {
    if (failure instanceof UnknownTopicOrPartitionException) {
      return Reason.MISSING_DESTINATION;
    }
    if (failure instanceof AuthorizationException) {
      return Reason.NOT_AUTHORISED;
    }
    if (failure instanceof AuthenticationException) {
      return Reason.NOT_AUTHENTICATED;
    }
    if (failure instanceof NotEnoughReplicasException
        || failure instanceof NotEnoughReplicasAfterAppendException) {
      return Reason.NOT_ENOUGH_REPLICAS;
    }
    if (failure instanceof LeaderNotAvailableException) {
      return Reason.NO_LEADER;
    }
    if (failure instanceof TimeoutException) {
      return Reason.UNREACHABLE;
    }
    return Reason.OTHER;
  }

  static String detail(@Nullable Throwable failure) {
    if (failure == null) {
      return "no answer";
    }
    Throwable cause = failure.getCause();
    String own = failure.getClass().getSimpleName() + ": " + failure.getMessage();
    return cause == null || cause == failure ? own : own + " (" + detail(cause) + ")";
  }
}
