/** The processes that are measured, and how they are talked to. */
@NullMarked
package dev.twinbox.benchmarks.worker;

import org.jspecify.annotations.NullMarked;
