package dev.twinbox.outbox;

import java.util.Objects;
import java.util.UUID;

/**
 * What became of an enqueued message. It counts once the caller's transaction has committed.
 *
 * @param id the id under which the message is published; for a duplicate, the id of the first
 *     message with its dedup key
 * @param duplicate true when the dedup key was there already, so that nothing was stored
 */
public record Enqueued(UUID id, boolean duplicate) {
  public Enqueued {
    Objects.requireNonNull(id, "id");
  }
}
