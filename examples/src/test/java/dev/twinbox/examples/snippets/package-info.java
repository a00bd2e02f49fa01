/** Runs what the docs quote. */
@NullMarked
package dev.twinbox.examples.snippets;

import org.jspecify.annotations.NullMarked;
