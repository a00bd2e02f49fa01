/**
 * What the demo and the soak share: the choice of a broker, reading all it holds, and reporting.
 */
@NullMarked
package dev.twinbox.examples.common;

import org.jspecify.annotations.NullMarked;
