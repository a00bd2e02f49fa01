/** Twinbox, and the least that a program could do instead. */
@NullMarked
package dev.twinbox.benchmarks.sides;

import org.jspecify.annotations.NullMarked;
