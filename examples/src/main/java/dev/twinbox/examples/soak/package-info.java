/**
 * The soak: producers, relays, consumers, PostgreSQL and a broker as processes of their own under
 * faults injected by a seeded schedule, and a tally of what was committed, published and applied in
 * the end.
 */
@NullMarked
package dev.twinbox.examples.soak;

import org.jspecify.annotations.NullMarked;
