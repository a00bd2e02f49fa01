package dev.twinbox.outbox;

/** Jackson, where it is there; asked for only when a message has JSON. */
final class DefaultCodec {
  private DefaultCodec() {}

  static PayloadCodec get() {
    try {
      return Holder.CODEC;
    } catch (LinkageError e) {
      throw new IllegalStateException(
          "json(...) needs Jackson: add com.fasterxml.jackson.core:jackson-databind to the class path, or give the Outbox a codec of your own.",
          e);
    }
  }

  private static final class Holder {
    static final PayloadCodec CODEC = JacksonCodec.create();
  }
}
