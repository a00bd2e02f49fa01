/** What is measured, against which goal, and how it is written down. */
@NullMarked
package dev.twinbox.benchmarks.figures;

import org.jspecify.annotations.NullMarked;
