/** Checks of what a consumer depends on; a consumer that could lose messages does not start. */
@NullMarked
package dev.twinbox.inbox.doctor;

import org.jspecify.annotations.NullMarked;
