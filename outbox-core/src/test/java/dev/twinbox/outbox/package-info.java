/** What enqueue guarantees, shown on real PostgreSQL. */
@NullMarked
package dev.twinbox.outbox;

import org.jspecify.annotations.NullMarked;
