/** JMH benchmarks of the small pieces that run for each message. */
@NullMarked
package dev.twinbox.benchmarks.micro;

import org.jspecify.annotations.NullMarked;
