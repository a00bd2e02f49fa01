/** An inbox whose records are in Redis. */
@NullMarked
package dev.twinbox.redis;

import org.jspecify.annotations.NullMarked;
