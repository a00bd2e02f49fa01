/** What a publisher is: hand over a message, learn its outcome. One contract for every broker. */
@NullMarked
package dev.twinbox.relay.publish;

import org.jspecify.annotations.NullMarked;
