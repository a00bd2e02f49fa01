package dev.twinbox.inbox;

/**
 * Makes decoders of classes: JSON by {@link JacksonDecoders} or {@link Jackson3Decoders}, or
 * another format of yours. Thread-safe.
 */
public interface PayloadDecoders {
  /** A decoder to objects of a class, which is the handler's choice and never the message's. */
  <T> PayloadDecoder<T> of(Class<T> type);
}
