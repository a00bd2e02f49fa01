/** What was published and is kept for a while: enqueued once more on request. */
@NullMarked
package dev.twinbox.relay.archive;

import org.jspecify.annotations.NullMarked;
