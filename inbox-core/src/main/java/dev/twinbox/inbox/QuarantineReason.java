package dev.twinbox.inbox;

import java.util.Locale;

/** Why a message was put into quarantine. */
public enum QuarantineReason {
  /** Its handler failed, or its process died, as often as the backoff allows. */
  ATTEMPTS_EXHAUSTED,
  /** Its handler said that no retry can help. */
  UNPROCESSABLE,
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

  /** Lower case with hyphens, as stored and shown: {@code no-id}. */
  public String code() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
