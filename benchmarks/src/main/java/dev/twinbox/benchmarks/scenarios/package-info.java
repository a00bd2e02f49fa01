/** Each measurement: what is filled, run, timed and compared. */
@NullMarked
package dev.twinbox.benchmarks.scenarios;

import org.jspecify.annotations.NullMarked;
