/** What the relay and the listeners have in common as parts of a service's life. */
@NullMarked
package dev.twinbox.spring.lifecycle;

import org.jspecify.annotations.NullMarked;
