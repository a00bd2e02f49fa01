/** The tables come up on every supported PostgreSQL, beside whatever the user has. */
@NullMarked
package dev.twinbox.migrations;

import org.jspecify.annotations.NullMarked;
