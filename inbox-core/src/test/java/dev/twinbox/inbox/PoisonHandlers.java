package dev.twinbox.inbox;

/** A handler of JSON as services have it, which writes an effect. */
public final class PoisonHandlers {
  /** What an order's payload promises. */
  public record Order(String customer, int cents) {}

  /** A payload with a type hint, which would load a class in a careless mapper. */
  public static final String TYPE_HINT =
      "{\"customer\": [\"javax.script.ScriptEngineManager\", [{}]], \"cents\": 1}";

  private PoisonHandlers() {}

  public static Handler json() {
    return TypedHandlers.builder()
        .json(
            "order.placed",
            Order.class,
            (order, delivery, work) -> InboxDatabase.effect(delivery, work))
        .build();
  }

  public static String nestingBomb() {
    return "{\"customer\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}";
  }
}
