/**
 * A broker that keeps messages in the memory of one process, as somebody outside would add it: its
 * kind is found on the class path, and nothing else of Twinbox knows it.
 */
@NullMarked
package dev.twinbox.cli.memory;

import org.jspecify.annotations.NullMarked;
