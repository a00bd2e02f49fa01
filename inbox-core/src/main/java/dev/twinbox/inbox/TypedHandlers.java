package dev.twinbox.inbox;

import java.util.HashMap;
import java.util.Map;
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
 * <p>Immutable; thread-safe if the handlers are.
 */
public final class TypedHandlers implements Handler {
  private final Map<String, Handler> handlers;
  private final UnknownType unknown;

  private TypedHandlers(Builder builder) {
    handlers = Map.copyOf(builder.handlers);
    unknown = builder.unknown;
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
    switch (unknown) {
      case IGNORE -> {}
      case FAIL -> throw new IllegalStateException(complaint);
      case QUARANTINE ->
          throw new UnprocessableException(QuarantineReason.UNKNOWN_TYPE, complaint, null);
    }
  }

  /** Collects handlers; not thread-safe. */
  public static final class Builder {
    private final Map<String, Handler> handlers = new HashMap<>();
    private UnknownType unknown = UnknownType.QUARANTINE;
    private @Nullable PayloadDecoders decoders;

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
