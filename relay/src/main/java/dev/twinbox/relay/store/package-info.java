/** The relay's SQL, each statement in one place, with the plan it relies on. */
@NullMarked
package dev.twinbox.relay.store;

import org.jspecify.annotations.NullMarked;
