package dev.twinbox.outbox;

/**
 * Turns the object given to {@link Message#json} into bytes. Implementations are thread-safe and
 * give the same bytes for the same object.
 */
public interface PayloadCodec {
  /**
   * Encodes one object. Called inside the caller's transaction: no I/O.
   *
   * @throws RuntimeException when the object has no encoding; the enqueue is refused with it as
   *     cause
   */
  byte[] encode(Object value);

  /**
   * The content type of what it encodes, unless the message names another; the rules of {@link
   * Message#contentType(String)} hold.
   */
  default String contentType() {
    return "application/json";
  }
}
