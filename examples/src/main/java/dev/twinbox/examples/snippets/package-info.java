/**
 * What README and docs/ quote, compiled and run. A region between {@code // docs: name} and {@code
 * // docs: end} is quoted under its name; SnippetsInDocsTest keeps both alike.
 */
@NullMarked
package dev.twinbox.examples.snippets;

import org.jspecify.annotations.NullMarked;
