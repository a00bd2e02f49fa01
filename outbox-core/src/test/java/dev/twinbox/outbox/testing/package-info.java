/** The recorder for users' unit tests, tested. */
@NullMarked
package dev.twinbox.outbox.testing;

import org.jspecify.annotations.NullMarked;
