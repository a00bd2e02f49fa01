/** The inbox's guarantees, each as a test against a real PostgreSQL. */
@NullMarked
package dev.twinbox.inbox;

import org.jspecify.annotations.NullMarked;
