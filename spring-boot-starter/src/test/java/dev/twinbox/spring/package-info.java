@NullMarked
package dev.twinbox.spring;

import org.jspecify.annotations.NullMarked;
