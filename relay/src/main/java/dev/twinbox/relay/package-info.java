/** The relay as users meet it: configure, start, watch, stop. */
@NullMarked
package dev.twinbox.relay;

import org.jspecify.annotations.NullMarked;
