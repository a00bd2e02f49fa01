/** Messages that are not due yet: looked at and cancelled by an operator. */
@NullMarked
package dev.twinbox.relay.scheduled;

import org.jspecify.annotations.NullMarked;
