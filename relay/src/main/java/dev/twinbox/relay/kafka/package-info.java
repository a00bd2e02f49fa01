/** Publishes to Kafka: what is confirmed is on every in-sync replica, in the order of its key. */
@NullMarked
package dev.twinbox.relay.kafka;

import org.jspecify.annotations.NullMarked;
