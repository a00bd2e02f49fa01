/** What Spring Boot makes by itself: properties, and beans that step back for yours. */
@NullMarked
package dev.twinbox.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
