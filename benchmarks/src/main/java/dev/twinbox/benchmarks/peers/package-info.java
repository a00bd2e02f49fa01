/** Other libraries at the same work. */
@NullMarked
package dev.twinbox.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
