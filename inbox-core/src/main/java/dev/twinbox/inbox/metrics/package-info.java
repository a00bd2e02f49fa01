/** A consumer's figures for Micrometer, which is optional. */
@NullMarked
package dev.twinbox.inbox.metrics;

import org.jspecify.annotations.NullMarked;
