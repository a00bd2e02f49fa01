/** What a Spring Boot service says to Twinbox: annotations, and hooks for what is configured. */
@NullMarked
package dev.twinbox.spring;

import org.jspecify.annotations.NullMarked;
