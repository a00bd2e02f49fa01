package dev.twinbox.inbox;

/** What happens to a message whose type has no handler. */
public enum UnknownType {
  /** It goes to quarantine at once. The default. */
  QUARANTINE,
  /** It counts as processed; nothing happens. */
  IGNORE,
  /** It fails and is tried again: a newer version of the service may know it soon. */
  FAIL
}
