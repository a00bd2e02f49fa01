package dev.twinbox.inbox;

/** Jackson 2 where it is there, else Jackson 3; asked for only when a handler wants JSON. */
final class DefaultDecoders {
  private DefaultDecoders() {}

  static PayloadDecoders get() {
    try {
      return Jackson2.DECODERS;
    } catch (LinkageError without) {
      try {
        return Jackson3.DECODERS;
      } catch (LinkageError e) {
        throw new IllegalStateException(
            "json(...) needs Jackson: add com.fasterxml.jackson.core:jackson-databind or"
                + " tools.jackson.core:jackson-databind to the class path, or decode the payload by"
                + " on(type, decoder, handler).",
            e);
      }
    }
  }

  private static final class Jackson2 {
    static final PayloadDecoders DECODERS = JacksonDecoders.create();
  }

  private static final class Jackson3 {
    static final PayloadDecoders DECODERS = Jackson3Decoders.create();
  }
}
