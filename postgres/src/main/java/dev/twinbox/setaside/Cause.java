package dev.twinbox.setaside;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Messages that are set aside for the same cause.
 *
 * @param cause the fingerprint of reason, error and frame, for {@link Selection#cause}
 * @param where the consumer, or the destination of messages that have left no outbox
 * @param reason the code of the reason
 * @param error the class of the error; empty where it is not known
 * @param frame the first frame of the user's own code, as {@code com.shop.Billing.charge}; empty
 *     where there is none
 * @param count how many they are
 * @param oldest the first of their times
 * @param newest the last of their times
 * @param lastError the whole error of the one with the highest number, or null
 */
public record Cause(
    String cause,
    String where,
    String reason,
    String error,
    String frame,
    long count,
    Instant oldest,
    Instant newest,
    @Nullable String lastError) {}
