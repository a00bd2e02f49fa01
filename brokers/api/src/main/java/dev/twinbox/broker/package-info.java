/**
 * What a broker is to a relay: its publishers take messages and report the outcome of each. One
 * contract for every broker.
 */
@NullMarked
package dev.twinbox.broker;

import org.jspecify.annotations.NullMarked;
