/**
 * The read side: a message's id is recorded in the same transaction as what its handler writes, so
 * that a redelivered message changes nothing.
 */
@NullMarked
package dev.twinbox.inbox;

import org.jspecify.annotations.NullMarked;
