/** Publishes to Kafka: what is confirmed is on every in-sync replica, in the order of its key. */
@NullMarked
package dev.twinbox.kafka.publisher;

import org.jspecify.annotations.NullMarked;
