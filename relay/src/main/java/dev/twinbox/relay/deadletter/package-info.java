/** What was given up: looked at, sent again, put aside and brought back by an operator. */
@NullMarked
package dev.twinbox.relay.deadletter;

import org.jspecify.annotations.NullMarked;
