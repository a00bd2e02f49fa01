package dev.twinbox.rocketmq.doctor;

/** A server did not answer, or refused. */
final class UnreadableException extends Exception {
  private static final long serialVersionUID = 1L;
  static final int NO_ANSWER = -1;

  private final int code;

  UnreadableException(Exception cause, int code) {
    super(String.valueOf(cause.getMessage()).strip().replaceAll("\\s*\\R\\s*", " "), cause);
    this.code = code;
  }

  /** RocketMQ's code of the answer, or {@link #NO_ANSWER}. */
  int code() {
    return code;
  }
}
