package dev.twinbox.inbox;

import java.time.Instant;

/**
 * Quarantined messages of one consumer that lie there for the same cause.
 *
 * @param reason the code of the reason, see {@link QuarantineReason#code}
 * @param error the class of the handler's error; empty where no handler ever saw them
 * @param oldest when the first of them came into quarantine, by the database's clock
 * @param newest when the last did
 */
public record QuarantineCause(
    String consumer, String reason, String error, long count, Instant oldest, Instant newest) {}
