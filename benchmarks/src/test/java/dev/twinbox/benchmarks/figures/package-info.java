@NullMarked
package dev.twinbox.benchmarks.figures;

import org.jspecify.annotations.NullMarked;
