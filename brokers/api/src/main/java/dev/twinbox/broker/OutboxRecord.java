package dev.twinbox.broker;

import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A row of the outbox on its way to a broker.
 *
 * @param lane the lane that relays it
 * @param position its place in the lane's order
 * @param id the message id, the same at each publication
 * @param createdAt when it was enqueued, by the database's clock
 * @param expiresAt when it must no longer be handed to a broker, or null
 * @param destination as enqueued, for example {@code kafka:orders}
 * @param key the ordering key, or null for none
 * @param type the CloudEvents type
 * @param contentType media type of the payload, or null
 * @param headers the user's headers, and CloudEvents attributes under names that begin with {@code
 *     ce_}; each name once
 * @param payload the bytes, or null for a tombstone; not copied: never modify it
 */
@SuppressWarnings("ArrayRecordComponent") // copying each payload once more would cost the hot path
public record OutboxRecord(
    int lane,
    long position,
    UUID id,
    Instant createdAt,
    @Nullable Instant expiresAt,
    String destination,
    @Nullable String key,
    String type,
    @Nullable String contentType,
    List<Header> headers,
    byte @Nullable [] payload) {

  private static final String CLOUD_EVENTS = "application/cloudevents";

  /** One header; values are text. */
  public record Header(String name, String value) {}

  /**
   * Refuses a row that was not written by an {@code Outbox} and whose content type announces a
   * whole CloudEvent as payload: beside attributes in headers, consumers would refuse the message.
   *
   * @throws IllegalArgumentException for {@code application/cloudevents...}, in any case
   */
  public void refuseStructuredMode() {
    refuseStructuredMode(contentType);
    for (Header header : headers) {
      if (header.name().equalsIgnoreCase("content-type")) {
        refuseStructuredMode(header.value());
      }
    }
  }

  private static void refuseStructuredMode(@Nullable String type) {
    if (type != null
        && type.strip().regionMatches(true, 0, CLOUD_EVENTS, 0, CLOUD_EVENTS.length())) {
      throw new IllegalArgumentException(
          ("the content type '%s' is that of a whole CloudEvent (structured mode), and messages are"
                  + " published in binary mode; store the media type of the event's data")
              .formatted(type));
    }
  }

  /**
   * About how many bytes it takes in memory, with the copy of its text that a client encodes; never
   * below its payload's size.
   */
  public int size() {
    long chars = length(key) + destination.length() + type.length() + length(contentType);
    for (Header header : headers) {
      chars += header.name.length() + header.value.length();
    }
    long bytes = (payload == null ? 0 : payload.length) + 2 * chars + 64L * (headers.size() + 4);
    return (int) Math.min(Integer.MAX_VALUE, bytes);
  }

  private static long length(@Nullable String text) {
    return text == null ? 0 : text.length();
  }
}
