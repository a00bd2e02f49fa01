/** The write side: a message becomes a row of the outbox inside the caller's own transaction. */
@NullMarked
package dev.twinbox.outbox;

import org.jspecify.annotations.NullMarked;
