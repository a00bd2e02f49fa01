/** For users' own unit tests: an outbox that remembers instead of storing. */
@NullMarked
package dev.twinbox.outbox.testing;

import org.jspecify.annotations.NullMarked;
