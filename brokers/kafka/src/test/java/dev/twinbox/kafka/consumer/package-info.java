/** The Kafka consumer's guarantees against a real broker and a real PostgreSQL. */
@NullMarked
package dev.twinbox.kafka.consumer;

import org.jspecify.annotations.NullMarked;
