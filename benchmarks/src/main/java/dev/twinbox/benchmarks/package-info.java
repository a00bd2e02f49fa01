/** The command {@code bin/bench}. */
@NullMarked
package dev.twinbox.benchmarks;

import org.jspecify.annotations.NullMarked;
