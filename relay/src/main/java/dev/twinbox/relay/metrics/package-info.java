/** A relay's figures for Micrometer, which is optional. */
@NullMarked
package dev.twinbox.relay.metrics;

import org.jspecify.annotations.NullMarked;
