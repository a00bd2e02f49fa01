package dev.twinbox.outbox;

import dev.twinbox.broker.Destination;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way into the outbox.
 *
 * <pre>{@code
 * Message.to("kafka:orders").key(orderId).type("order.placed").json(order)
 * }</pre>
 *
 * <p>Immutable and thread-safe: each setter returns a new message, and a half-built one may be kept
 * as a template. Every setter refuses at once, with {@link InvalidMessageException}, what a broker
 * could not carry. A destination, a {@link #type(String) type} and one of {@link #payload(byte[])},
 * {@link #text}, {@link #json(Object)} and {@link #tombstone()} are required; everything else is
 * optional.
 */
public final class Message {
  private static final int MAX_KEY = 1024;
  private static final int MAX_NAME = 255;

  private final Destination destination;
  private final @Nullable UUID id;
  private final @Nullable String key;
  private final @Nullable String type;
  private final @Nullable String contentType;
  private final @Nullable String payloadContentType;
  private final byte @Nullable [] payload;
  private final @Nullable Object json;
  private final boolean tombstone;
  private final Map<String, String> headers;
  private final @Nullable Instant deliverAt;
  private final @Nullable Duration delay;
  private final @Nullable Instant expiresAt;
  private final @Nullable Duration ttl;
  private final boolean ordered;
  private final @Nullable String dedupKey;

  private Message(Draft draft) {
    destination = draft.destination;
    id = draft.id;
    key = draft.key;
    type = draft.type;
    contentType = draft.contentType;
    payloadContentType = draft.payloadContentType;
    payload = draft.payload;
    json = draft.json;
    tombstone = draft.tombstone;
    headers = draft.headers;
    deliverAt = draft.deliverAt;
    delay = draft.delay;
    expiresAt = draft.expiresAt;
    ttl = draft.ttl;
    ordered = draft.ordered;
    dedupKey = draft.dedupKey;
  }

  /**
   * A message to a destination such as {@code kafka:orders} or {@code
   * rabbitmq:events/order.placed}; {@link Destination} has the grammar. The address is checked only
   * where its kind of broker, as {@code twinbox-kafka}, is on the class path.
   *
   * @throws InvalidMessageException when it does not follow the grammar
   */
  public static Message to(String destination) {
    String line =
        Texts.line(
            "destination", destination, Destination.MOST_BYTES, "Name one, as 'kafka:orders'.");
    try {
      return to(Destination.parse(line));
    } catch (IllegalArgumentException e) {
      throw new InvalidMessageException("destination", String.valueOf(e.getMessage()), e);
    }
  }

  /** A message to a destination. */
  public static Message to(Destination destination) {
    return new Message(
        new Draft(Texts.present("destination", destination, "Name one, such as 'kafka:orders'.")));
  }

  /**
   * The key: messages of one key keep their order, and Kafka puts them into one partition. At most
   * 1024 bytes in UTF-8, without control characters. Default: none.
   */
  public Message key(String key) {
    String checked =
        Texts.line(
            "key", key, MAX_KEY, "Use a short identifier, or leave it out for a keyless message.");
    return with(draft -> draft.key = checked);
  }

  /**
   * What happened, as the CloudEvents attribute {@code type}: {@code order.placed}. Required; at
   * most 255 bytes in UTF-8, without control characters.
   */
  public Message type(String type) {
    String checked =
        Texts.line("type", type, MAX_NAME, "Name what happened, such as 'order.placed'.");
    return with(draft -> draft.type = checked);
  }

  /**
   * The payload's media type. Default: {@code application/json} after {@link #json(Object)}, {@code
   * text/plain; charset=utf-8} after {@link #text}, otherwise none. Those of CloudEvents, {@code
   * application/cloudevents...}, are refused: they announce attributes in the payload.
   */
  public Message contentType(String contentType) {
    String checked = ContentTypes.checked(contentType);
    return with(draft -> draft.contentType = checked);
  }

  /** The payload as bytes, which are copied. An empty array is a payload; a tombstone is not. */
  public Message payload(byte[] payload) {
    byte[] copy =
        Texts.present("payload", payload, "Call tombstone() for a message without payload.")
            .clone();
    return with(draft -> draft.body(copy, null, false, null));
  }

  /** The payload as text, stored in UTF-8. */
  public Message text(String text) {
    Texts.utf8Length(
        "text", Texts.present("text", text, "Call tombstone() for a message without payload."));
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return with(draft -> draft.body(bytes, null, false, "text/plain; charset=utf-8"));
  }

  /**
   * The payload as an object, which the outbox's {@link PayloadCodec} encodes when the message is
   * enqueued; leave the object as it is until then.
   */
  public Message json(Object value) {
    Texts.present("json", value, "Call tombstone() for a message without payload.");
    return with(draft -> draft.body(null, value, false, null));
  }

  /** No payload at all: to Kafka a null value, which deletes the key in a compacted topic. */
  public Message tombstone() {
    return with(draft -> draft.body(null, null, true, null));
  }

  /**
   * Adds a header. Names are 1 to 128 visible ASCII characters and unique without regard to case;
   * those that Twinbox or a broker gives a meaning to are refused. Values hold no CR, LF or NUL. At
   * most 64 headers and 32 KiB together.
   */
  public Message header(String name, String value) {
    HeaderRules.check(headers, name, value);
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return with(draft -> draft.headers = Collections.unmodifiableMap(more));
  }

  /**
   * When the message is due, judged by the database's clock; a time that has passed means now.
   * Replaces a {@link #delay(Duration) delay}. Its place in its key's order is where it becomes
   * due, not where it was enqueued. Years 1970 to 9999, cut to microseconds. Default: now.
   */
  public Message deliverAt(Instant deliverAt) {
    Instant checked = Times.checked("deliverAt", deliverAt);
    return with(draft -> draft.due(checked, null));
  }

  /**
   * When the message is due, counted from the database's clock at enqueue. Replaces a {@link
   * #deliverAt(Instant) deliverAt}. Zero to 36,500 days. Default: none.
   */
  public Message delay(Duration delay) {
    Duration checked = Times.checked("delay", delay, true);
    return with(draft -> draft.due(null, checked));
  }

  /**
   * From when on the message must not be handed to a broker, judged by the database's clock at each
   * publish; it then becomes a dead letter with the reason {@code expired}, also when the time had
   * passed at enqueue. Replaces a {@link #ttl(Duration) ttl}. Years 1970 to 9999, cut to
   * microseconds. Default: never.
   */
  public Message expiresAt(Instant expiresAt) {
    Instant checked = Times.checked("expiresAt", expiresAt);
    return with(draft -> draft.expiry(checked, null));
  }

  /**
   * How long after it is due (so, without {@link #deliverAt(Instant)} or {@link #delay(Duration)},
   * after enqueue) the message expires, by the database's clock. Replaces an {@link
   * #expiresAt(Instant) expiresAt}. More than zero, up to 36,500 days. Default: never.
   */
  public Message ttl(Duration ttl) {
    Duration checked = Times.checked("ttl", ttl, false);
    return with(draft -> draft.expiry(null, checked));
  }

  /**
   * Makes enqueue wait until no other open transaction has enqueued an ordered message of this
   * broker and key ({@code pg_advisory_xact_lock}), so that two transactions at work on one key
   * publish in the order in which they enqueued. Needs a key. Not needed where the caller already
   * holds a lock on what the key stands for. A transaction that enqueues several such messages one
   * by one can deadlock with another that does so in another order; {@code enqueueAll} sorts.
   */
  public Message ordered() {
    return with(draft -> draft.ordered = true);
  }

  /**
   * Makes a second message with the same dedup key a no-op for as long as the key is kept, which is
   * until somebody deletes it from {@code outbox_dedup}, across the whole outbox and whatever its
   * destination. At most 255 bytes in UTF-8. Default: none.
   */
  public Message dedupKey(String dedupKey) {
    String checked =
        Texts.line("dedupKey", dedupKey, MAX_NAME, "Use a short identifier of the business event.");
    return with(draft -> draft.dedupKey = checked);
  }

  /**
   * The message id, if the caller has one: a UUID of version 7, taken as it is. Default: a new one
   * whose time is that at which the message is due.
   */
  public Message id(UUID id) {
    UUID checked = MessageIds.checked(Texts.present("id", id, "Leave it out to get one."));
    return with(draft -> draft.id = checked);
  }

  /** Where it goes. */
  public Destination destination() {
    return destination;
  }

  /** The id set by {@link #id(UUID)}, or null. */
  public @Nullable UUID id() {
    return id;
  }

  /** The key, or null. */
  public @Nullable String key() {
    return key;
  }

  /** The type, or null while it is not set. */
  public @Nullable String type() {
    return type;
  }

  /** The payload's media type, or null for the default of the codec or none. */
  public @Nullable String contentType() {
    return contentType != null ? contentType : payloadContentType;
  }

  /** A copy of the payload's bytes; null for a tombstone and for JSON that is not encoded yet. */
  public byte @Nullable [] payload() {
    return payload == null ? null : payload.clone();
  }

  /** What {@link #json(Object)} was given, or null. */
  public @Nullable Object json() {
    return json;
  }

  /** Whether it has no payload by intent. */
  public boolean isTombstone() {
    return tombstone;
  }

  /** The headers in the order in which they were added; unmodifiable. */
  public Map<String, String> headers() {
    return headers;
  }

  /** When it is due, or null. */
  public @Nullable Instant deliverAt() {
    return deliverAt;
  }

  /** How long after enqueue it is due, or null. */
  public @Nullable Duration delay() {
    return delay;
  }

  /** When it expires, or null. */
  public @Nullable Instant expiresAt() {
    return expiresAt;
  }

  /** How long after it is due it expires, or null. */
  public @Nullable Duration ttl() {
    return ttl;
  }

  /** Whether enqueue takes a lock on its key. */
  public boolean isOrdered() {
    return ordered;
  }

  /** The dedup key, or null. */
  public @Nullable String dedupKey() {
    return dedupKey;
  }

  /** Names the message without showing its payload, header values or key. */
  @Override
  public String toString() {
    return "Message[" + (id == null ? "" : id + " ") + type + " to " + destination + "]";
  }

  /** The payload itself, not a copy: for the encoder, which never changes it. */
  byte @Nullable [] rawPayload() {
    return payload;
  }

  /** The message as it is stored. */
  Message stored(UUID id, byte @Nullable [] payload, @Nullable String contentType) {
    return with(
        draft -> {
          draft.id = id;
          draft.payload = payload;
          draft.contentType = contentType;
        });
  }

  private Message with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new Message(draft);
  }

  /** A message while it changes. Setters stay short, and the message's fields final. */
  private static final class Draft {
    private final Destination destination;
    private @Nullable UUID id;
    private @Nullable String key;
    private @Nullable String type;
    private @Nullable String contentType;
    private @Nullable String payloadContentType;
    private byte @Nullable [] payload;
    private @Nullable Object json;
    private boolean tombstone;
    private Map<String, String> headers = Map.of();
    private @Nullable Instant deliverAt;
    private @Nullable Duration delay;
    private @Nullable Instant expiresAt;
    private @Nullable Duration ttl;
    private boolean ordered;
    private @Nullable String dedupKey;

    Draft(Destination destination) {
      this.destination = destination;
    }

    Draft(Message message) {
      destination = message.destination;
      id = message.id;
      key = message.key;
      type = message.type;
      contentType = message.contentType;
      payloadContentType = message.payloadContentType;
      payload = message.payload;
      json = message.json;
      tombstone = message.tombstone;
      headers = message.headers;
      deliverAt = message.deliverAt;
      delay = message.delay;
      expiresAt = message.expiresAt;
      ttl = message.ttl;
      ordered = message.ordered;
      dedupKey = message.dedupKey;
    }

    void body(
        byte @Nullable [] payload,
        @Nullable Object json,
        boolean tombstone,
        @Nullable String payloadContentType) {
      this.payload = payload;
      this.json = json;
      this.tombstone = tombstone;
      this.payloadContentType = payloadContentType;
    }

    void due(@Nullable Instant deliverAt, @Nullable Duration delay) {
      this.deliverAt = deliverAt;
      this.delay = delay;
    }

    void expiry(@Nullable Instant expiresAt, @Nullable Duration ttl) {
      this.expiresAt = expiresAt;
      this.ttl = ttl;
    }
  }
}
