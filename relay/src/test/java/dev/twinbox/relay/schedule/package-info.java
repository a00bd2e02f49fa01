@NullMarked
package dev.twinbox.relay.schedule;

import org.jspecify.annotations.NullMarked;
