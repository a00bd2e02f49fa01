package dev.twinbox.spring;

import dev.twinbox.outbox.Outbox;

/** Declare a bean of it to have the last word on the outbox. Several are called in their order. */
@FunctionalInterface
public interface OutboxCustomizer {
  /** Called once, after the properties were applied. */
  void customize(Outbox.Builder builder);
}
