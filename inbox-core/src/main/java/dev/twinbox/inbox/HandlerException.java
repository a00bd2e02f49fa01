package dev.twinbox.inbox;

/** Carries a handler's checked exception out of a transaction that is the caller's own. */
public class HandlerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  HandlerException(Delivery delivery, Throwable cause) {
    super("The handler failed on " + delivery + ": " + Throwables.message(cause), cause);
  }
}
