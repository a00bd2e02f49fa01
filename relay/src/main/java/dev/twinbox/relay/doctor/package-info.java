/**
 * Looks at what the relay depends on, database and brokers, and keeps it from publishing where
 * messages could be lost.
 */
@NullMarked
package dev.twinbox.relay.doctor;

import org.jspecify.annotations.NullMarked;
