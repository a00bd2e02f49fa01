package dev.twinbox.spring;

import dev.twinbox.relay.RelayBuilder;

/** Declare a bean of it to have the last word on the relay. Several are called in their order. */
@FunctionalInterface
public interface RelayCustomizer {
  /** Called each time that the relay starts, after properties and brokers were applied. */
  void customize(RelayBuilder builder);
}
