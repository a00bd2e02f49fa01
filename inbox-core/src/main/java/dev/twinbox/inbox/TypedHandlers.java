package dev.twinbox.inbox;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Calls the handler of the message's type.
 *
 * <pre>{@code
 * Handler handler =
 *     TypedHandlers.builder()
 *         .json("order.placed", OrderPlaced.class, (order, delivery, work) -> ...)
 *         .on("order.cancelled", (delivery, work) -> ...)
 *         .unknown(UnknownType.IGNORE)
 *         .build();
 * }</pre>
 *
 * <p>Thread-safe if the handlers are.
 */
public final class TypedHandlers implements Handler {
  private static final int MOST_WAITED_FOR = 1_000;

  private final Map<String, Handler> handlers;
  private final UnknownType unknown;
  private final Duration grace;
  private final InstantSource clock;

  // When each type that has no handler was met first.
  private final Map<String, Instant> waitedFor = new ConcurrentHashMap<>();

  private TypedHandlers(Builder builder) {
    handlers = Map.copyOf(builder.handlers);
    unknown = builder.unknown;
    grace = builder.grace;
    clock = builder.clock;
  }

  /** Starts a set of handlers. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public void handle(Delivery delivery, InboxTransaction work) throws Exception {
    String type = delivery.type();
    Handler handler = type == null ? null : handlers.get(type);
    if (handler != null) {
      handler.handle(delivery, work);
      return;
    }
    String complaint = "There is no handler for the type '%s'.".formatted(type);
    if (!grace.isZero()) {
      waitFor(String.valueOf(type), complaint);
    }
    switch (unknown) {
      case IGNORE -> {}
      case FAIL -> throw new IllegalStateException(complaint);
      case QUARANTINE ->
          throw new UnprocessableException(QuarantineReason.UNKNOWN_TYPE, complaint, null);
    }
  }

  private void waitFor(String type, String complaint) throws LaterException {
    if (waitedFor.size() >= MOST_WAITED_FOR && !waitedFor.containsKey(type)) {
      return; // such types are nobody's
    }
    Instant now = clock.instant();
    Duration waited = Duration.between(waitedFor.computeIfAbsent(type, any -> now), now);
    if (waited.compareTo(grace) < 0) {
      throw new LaterException(
          complaint
              + " A newer version may have one; it is waited for until "
              + now.plus(grace.minus(waited))
              + ".",
          waited.isNegative() ? Duration.ZERO : waited);
    }
  }

  /** Collects handlers; not thread-safe. */
  public static final class Builder {
    private final Map<String, Handler> handlers = new HashMap<>();
    private UnknownType unknown = UnknownType.QUARANTINE;
    private @Nullable PayloadDecoders decoders;
    private Duration grace = Duration.ZERO;
    private InstantSource clock = InstantSource.system();

    private Builder() {}

    /**
     * Handles messages of a type.
     *
     * @throws IllegalArgumentException when the type has a handler already
     */
    public Builder on(String type, Handler handler) {
      if (handlers.putIfAbsent(type, handler) != null) {
        throw new IllegalArgumentException("The type '%s' has two handlers.".formatted(type));
      }
      return this;
    }

    /** Handles messages of a type, decoded. What cannot be decoded is quarantined at once. */
    public <T> Builder on(String type, PayloadDecoder<T> decoder, TypedHandler<T> handler) {
      return on(
          type,
          (delivery, work) -> handler.handle(decode(decoder, type, delivery), delivery, work));
    }

    /**
     * Handles messages of a type whose payload is JSON, as {@link #decoders} decode it; what is no
     * such JSON is quarantined at once.
     *
     * @throws IllegalStateException when neither decoders nor Jackson are there
     */
    public <T> Builder json(String type, Class<T> payload, TypedHandler<T> handler) {
      PayloadDecoders all = decoders;
      return on(type, (all == null ? DefaultDecoders.get() : all).of(payload), handler);
    }

    /**
     * What decodes the payloads of {@link #json} from now on. Default: Jackson, 2 before 3, which
     * must be on the class path; unknown properties are ignored.
     */
    public Builder decoders(PayloadDecoders all) {
      decoders = all;
      return this;
    }

    /** What happens to other types. Default {@link UnknownType#QUARANTINE}. */
    public Builder unknown(UnknownType policy) {
      unknown = policy;
      return this;
    }

    /**
     * For how long messages of an unknown type are left as they are, from the first that this
     * instance meets, before {@link #unknown} is applied: in a rolling deployment a newer version
     * of the service, which gets them when this instance ends, may know it. Nothing is counted;
     * what follows such a message waits as behind a failed one. Default 0: it is not waited for.
     *
     * @throws IllegalArgumentException when it is negative
     */
    public Builder waitForUnknown(Duration limit) {
      if (limit.isNegative()) {
        throw new IllegalArgumentException(
            "waitForUnknown is %s; choose 0 or more.".formatted(limit));
      }
      grace = limit;
      return this;
    }

    /** Tells for how long was waited. Default: the system's. */
    Builder clock(InstantSource source) {
      clock = source;
      return this;
    }

    public TypedHandlers build() {
      return new TypedHandlers(this);
    }

    private static <T> T decode(PayloadDecoder<T> decoder, String type, Delivery delivery)
        throws UnprocessableException {
      try {
        return decoder.decode(delivery);
      } catch (Exception | StackOverflowError e) {
        throw new UnprocessableException(
            QuarantineReason.MALFORMED_PAYLOAD,
            "The payload is not a '%s': %s".formatted(type, Throwables.message(e)),
            e);
      }
    }
  }
}
