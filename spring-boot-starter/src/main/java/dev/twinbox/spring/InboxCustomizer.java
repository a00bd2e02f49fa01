package dev.twinbox.spring;

import dev.twinbox.inbox.Inbox;

/** Declare a bean of it to have the last word on each inbox. Several are called in their order. */
@FunctionalInterface
public interface InboxCustomizer {
  /**
   * Called once for each consumer, after the properties were applied.
   *
   * @param consumer its name
   */
  void customize(String consumer, Inbox.Builder builder);
}
