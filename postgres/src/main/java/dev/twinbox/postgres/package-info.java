/**
 * What outbox, inbox, relay and migrations share about PostgreSQL, its driver and Spring's
 * transactions. For Twinbox's own modules; not an API.
 */
@NullMarked
package dev.twinbox.postgres;

import org.jspecify.annotations.NullMarked;
