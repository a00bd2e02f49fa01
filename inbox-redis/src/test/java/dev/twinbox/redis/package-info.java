@NullMarked
package dev.twinbox.redis;

import org.jspecify.annotations.NullMarked;
