/** The command line together with the demo and the soak. */
@NullMarked
package dev.twinbox.examples;

import org.jspecify.annotations.NullMarked;
