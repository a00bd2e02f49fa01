/**
 * Checks of what messages depend on, before any is lost: findings about databases and brokers, and
 * those checks of a database that relays and consumers have in common.
 */
@NullMarked
package dev.twinbox.broker.doctor;

import org.jspecify.annotations.NullMarked;
