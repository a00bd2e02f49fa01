/** Kafka: addresses of destinations. Publishers, consumers and checks are packages of their own. */
@NullMarked
package dev.twinbox.kafka;

import org.jspecify.annotations.NullMarked;
