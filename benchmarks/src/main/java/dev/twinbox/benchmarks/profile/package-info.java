/** What a measured process spent its time on: recorded while it runs, told when it has ended. */
@NullMarked
package dev.twinbox.benchmarks.profile;

import org.jspecify.annotations.NullMarked;
