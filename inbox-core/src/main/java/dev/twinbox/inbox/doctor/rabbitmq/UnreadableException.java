package dev.twinbox.inbox.doctor.rabbitmq;

/** The management interface did not say. */
final class UnreadableException extends Exception {
  private static final long serialVersionUID = 1L;

  UnreadableException(String message) {
    super(message);
  }
}
