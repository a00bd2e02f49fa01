/** The code that docs/spring.md quotes. */
@NullMarked
package dev.twinbox.spring.snippets;

import org.jspecify.annotations.NullMarked;
