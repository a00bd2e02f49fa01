/** The Kafka consumer's guarantees against a real broker and a real PostgreSQL. */
@NullMarked
package dev.twinbox.inbox.kafka;

import org.jspecify.annotations.NullMarked;
