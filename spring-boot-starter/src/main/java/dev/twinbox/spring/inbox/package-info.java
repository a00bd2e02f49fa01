/** How methods with annotations become handlers, and handlers consumers. */
@NullMarked
package dev.twinbox.spring.inbox;

import org.jspecify.annotations.NullMarked;
