/** How things stand: what waits, how fast it moves, what is in the way, and what to think of it. */
@NullMarked
package dev.twinbox.relay.status;

import org.jspecify.annotations.NullMarked;
