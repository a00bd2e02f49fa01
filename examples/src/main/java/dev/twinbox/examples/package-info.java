/** The command line together with the demonstrations. */
@NullMarked
package dev.twinbox.examples;

import org.jspecify.annotations.NullMarked;
