package dev.twinbox.inbox;

/** A {@link Handler} that gets the payload decoded. */
@FunctionalInterface
public interface TypedHandler<T> {
  /** As {@link Handler#handle}. */
  void handle(T payload, Delivery delivery, InboxTransaction work) throws Exception;
}
