package dev.twinbox.inbox;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which UUID stands for a message in the inbox.
 *
 * <p>A UUIDv7 stands for itself. Any other id is hashed with its source into the range from
 * ff000000-… on, and a UUIDv7 from before the consumer's time into the range below 01000000-…: both
 * ranges have partitions of their own, and the same message always gets the same UUID.
 */
final class InboxIds {
  private static final byte FOREIGN = (byte) 0xff;
  private static final byte OLD = 0;
  private static final int FIRST_FOREIGN_BYTE = 0xff;

  private InboxIds() {}

  /** The UUIDv7 that the text is, however it is spelled, or null when it is something else. */
  static @Nullable UUID version7(String id) {
    UUID uuid = UuidText.parse(id);
    boolean stands =
        uuid != null
            && uuid.version() == 7
            && uuid.variant() == 2
            && uuid.getMostSignificantBits() >>> 56 != FIRST_FOREIGN_BYTE;
    return stands ? uuid : null;
  }

  /** Milliseconds since 1970 in a UUIDv7. */
  static long millis(UUID version7) {
    return version7.getMostSignificantBits() >>> 16;
  }

  /** Whether it is an id that stands for itself, and not a hash. */
  static boolean isTimed(UUID id) {
    long first = id.getMostSignificantBits() >>> 56;
    return first != 0 && first != FIRST_FOREIGN_BYTE;
  }

  /** However a UUID is spelled, it is one id; of any other id each character counts. */
  static UUID foreign(@Nullable String source, String id) {
    UUID uuid = UuidText.parse(id);
    return hash(FOREIGN, source == null ? "" : source, uuid == null ? id : uuid.toString());
  }

  static UUID old(UUID version7) {
    return hash(OLD, "", version7.toString());
  }

  private static UUID hash(byte range, String source, String id) {
    MessageDigest digest = sha256();
    byte[] sourceBytes = source.getBytes(StandardCharsets.UTF_8);
    // The length keeps ("a", "bc") and ("ab", "c") apart.
    digest.update(ByteBuffer.allocate(4).putInt(sourceBytes.length).array());
    digest.update(sourceBytes);
    digest.update(id.getBytes(StandardCharsets.UTF_8));
    byte[] hash = digest.digest();
    hash[0] = range;
    return uuid(hash);
  }

  /** The first 16 bytes. */
  static UUID uuid(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return new UUID(buffer.getLong(), buffer.getLong());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
