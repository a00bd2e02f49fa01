package dev.twinbox.inbox;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Why a message was put into quarantine. */
public enum QuarantineReason {
  /** Its handler failed, or its process died, as often as the backoff allows. */
  ATTEMPTS_EXHAUSTED,
  /** Its handler said that no retry can help. */
  UNPROCESSABLE,
  /**
   * A handler has committed the inbox's transaction, so its effects may be there in part; or its
   * neighbour's has, and it waits to be handled.
   */
  TRANSACTION_ENDED,
  /** No handler is known for its type. */
  UNKNOWN_TYPE,
  /** Its payload is not what its type promises. */
  MALFORMED_PAYLOAD,
  /** It has no id. */
  NO_ID,
  /** It was sent to another destination. */
  WRONG_DESTINATION,
  /** Its headers cannot be read, or exceed the limits. */
  BROKEN_HEADERS,
  /** Its dedup record would be dropped already: whether it was processed is not known any more. */
  OLDER_THAN_DEDUP_HORIZON,
  /** Its expiry time has passed. */
  EXPIRED;

  /** Why a message that will fail each time is given up at once; null for any other error. */
  public static @Nullable QuarantineReason givenUpAtOnce(Throwable error) {
    if (error instanceof LaterException) {
      return UNKNOWN_TYPE; // in a redrive, which does not wait
    }
    if (!(error instanceof UnprocessableException unprocessable)) {
      return null;
    }
    try {
      QuarantineReason reason = unprocessable.reason();
      return reason == null ? UNPROCESSABLE : reason;
    } catch (RuntimeException e) { // of a subclass
      return UNPROCESSABLE;
    }
  }

  /** Lower case with hyphens, as stored and shown: {@code no-id}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
