/** A lane's work: claim it, drain window after window to its broker, let go of it. */
@NullMarked
package dev.twinbox.relay.drain;

import org.jspecify.annotations.NullMarked;
