/**
 * From Kafka to the handler: offsets follow the database's commits, and polling never waits for a
 * handler.
 */
@NullMarked
package dev.twinbox.kafka.consumer;

import org.jspecify.annotations.NullMarked;
