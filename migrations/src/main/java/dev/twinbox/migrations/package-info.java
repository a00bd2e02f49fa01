/** Every table of Twinbox as Flyway SQL, applied into a schema of the user's choosing. */
@NullMarked
package dev.twinbox.migrations;

import org.jspecify.annotations.NullMarked;
