/** The RabbitMQ consumer's guarantees against a real node and a real PostgreSQL. */
@NullMarked
package dev.twinbox.rabbitmq.consumer;

import org.jspecify.annotations.NullMarked;
