@NullMarked
package dev.twinbox.benchmarks.profile;

import org.jspecify.annotations.NullMarked;
