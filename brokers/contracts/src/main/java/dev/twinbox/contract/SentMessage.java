package dev.twinbox.contract;

import org.jspecify.annotations.Nullable;

/**
 * A message that the contract sends, in the broker's wire format.
 *
 * @param id its id; null for a message without one, as another program may write it
 * @param key the ordering key; null for none
 */
public record SentMessage(@Nullable String id, @Nullable String key) {}
