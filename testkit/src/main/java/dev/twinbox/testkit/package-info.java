/**
 * Real servers that a test can start, stop, freeze and kill, a proxy that breaks their connections,
 * and a tally that tells whether any message was lost, invented, doubled or turned round.
 */
@NullMarked
package dev.twinbox.testkit;

import org.jspecify.annotations.NullMarked;
