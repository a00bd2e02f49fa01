package dev.twinbox.redis;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.QuarantineReason;
import dev.twinbox.inbox.UnknownType;
import dev.twinbox.inbox.UnprocessableException;
import java.util.HashMap;
import java.util.Map;

/**
 * Calls the handler of the message's type, as {@link dev.twinbox.inbox.TypedHandlers} does for the
 * inbox in PostgreSQL. Immutable; thread-safe if the handlers are.
 */
public final class HandlersByType<W extends AtLeastOnceWork> implements MessageHandler<W> {
  private final Map<String, MessageHandler<W>> handlers;
  private final UnknownType unknown;

  private HandlersByType(Builder<W> builder) {
    handlers = Map.copyOf(builder.handlers);
    unknown = builder.unknown;
  }

  /** Starts a set of handlers. */
  public static <W extends AtLeastOnceWork> Builder<W> builder() {
    return new Builder<>();
  }

  @Override
  public void handle(Delivery delivery, W work) throws Exception {
    String type = delivery.type();
    MessageHandler<W> handler = type == null ? null : handlers.get(type);
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
  public static final class Builder<W extends AtLeastOnceWork> {
    private final Map<String, MessageHandler<W>> handlers = new HashMap<>();
    private UnknownType unknown = UnknownType.QUARANTINE;

    private Builder() {}

    /**
     * Handles messages of a type.
     *
     * @throws IllegalArgumentException when the type has a handler already
     */
    public Builder<W> on(String type, MessageHandler<W> handler) {
      if (handlers.putIfAbsent(type, handler) != null) {
        throw new IllegalArgumentException("The type '%s' has two handlers.".formatted(type));
      }
      return this;
    }

    /** What happens to other types. Default {@link UnknownType#QUARANTINE}. */
    public Builder<W> unknown(UnknownType policy) {
      unknown = policy;
      return this;
    }

    public HandlersByType<W> build() {
      return new HandlersByType<>(this);
    }
  }
}
