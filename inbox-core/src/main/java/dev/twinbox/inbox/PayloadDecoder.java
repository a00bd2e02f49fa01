package dev.twinbox.inbox;

/** Turns a message into an object. Thread-safe. */
@FunctionalInterface
public interface PayloadDecoder<T> {
  /**
   * Decodes a message.
   *
   * @throws Exception when the payload is not what it should be: the message is quarantined
   */
  T decode(Delivery delivery) throws Exception;
}
