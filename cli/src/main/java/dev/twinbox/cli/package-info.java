/** The command line: what an operator can ask of Twinbox without writing code. */
@NullMarked
package dev.twinbox.cli;

import org.jspecify.annotations.NullMarked;
