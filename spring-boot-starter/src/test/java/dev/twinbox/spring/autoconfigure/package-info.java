@NullMarked
package dev.twinbox.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
