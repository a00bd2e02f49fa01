/** Tests of the soak. */
@NullMarked
package dev.twinbox.examples.soak;

import org.jspecify.annotations.NullMarked;
