/** The RabbitMQ consumer's guarantees against a real node and a real PostgreSQL. */
@NullMarked
package dev.twinbox.inbox.rabbitmq;

import org.jspecify.annotations.NullMarked;
