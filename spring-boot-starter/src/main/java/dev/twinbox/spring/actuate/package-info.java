/** What the actuator shows: health, an endpoint, meters. */
@NullMarked
package dev.twinbox.spring.actuate;

import org.jspecify.annotations.NullMarked;
