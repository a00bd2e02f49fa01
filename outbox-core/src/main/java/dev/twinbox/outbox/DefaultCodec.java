package dev.twinbox.outbox;

/** Jackson 2 where it is there, else Jackson 3; asked for only when a message has JSON. */
final class DefaultCodec {
  private DefaultCodec() {}

  static PayloadCodec get() {
    try {
      return Jackson2.CODEC;
    } catch (LinkageError without) {
      try {
        return Jackson3.CODEC;
      } catch (LinkageError e) {
        throw new IllegalStateException(
            "json(...) needs Jackson: add com.fasterxml.jackson.core:jackson-databind or tools.jackson.core:jackson-databind to the class path, or give the Outbox a codec of your own.",
            e);
      }
    }
  }

  private static final class Jackson2 {
    static final PayloadCodec CODEC = JacksonCodec.create();
  }

  private static final class Jackson3 {
    static final PayloadCodec CODEC = Jackson3Codec.create();
  }
}
