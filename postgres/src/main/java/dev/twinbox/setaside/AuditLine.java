package dev.twinbox.setaside;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One transaction of an act.
 *
 * @param act the same for all transactions of one act, or null where an act is one transaction
 * @param by who did it
 * @param action what was done
 * @param selection to which messages
 * @param affected how many they were
 */
public record AuditLine(
    Instant at, @Nullable UUID act, String by, String action, String selection, long affected) {}
