package dev.twinbox.rabbitmq.doctor;

/** The management interface did not say. */
final class UnreadableException extends Exception {
  private static final long serialVersionUID = 1L;

  UnreadableException(String message) {
    super(message);
  }
}
