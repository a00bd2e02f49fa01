package dev.twinbox.rocketmq.publisher;

/** The name server knows no master that keeps the topic, or none at all. */
final class NoMasterException extends Exception {
  private static final long serialVersionUID = 1L;

  NoMasterException(String message) {
    super(message);
  }
}
