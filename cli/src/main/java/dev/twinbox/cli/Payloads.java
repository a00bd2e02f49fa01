package dev.twinbox.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** Payloads for somebody to read. */
final class Payloads {
  private Payloads() {}

  /** In base 64; null for a tombstone. */
  static @Nullable String base64(byte @Nullable [] payload) {
    return payload == null ? null : Base64.getEncoder().encodeToString(payload);
  }

  /** As text when it is UTF-8, else in base 64 after the word; null for a tombstone. */
  static @Nullable String readable(byte @Nullable [] payload) {
    if (payload == null) {
      return null;
    }
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(payload)).toString();
    } catch (CharacterCodingException e) {
      return "base64 " + base64(payload);
    }
  }
}
