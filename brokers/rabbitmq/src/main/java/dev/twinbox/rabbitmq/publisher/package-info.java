/** Publishes to RabbitMQ: what is confirmed was routed and is durable, in the order of its key. */
@NullMarked
package dev.twinbox.rabbitmq.publisher;

import org.jspecify.annotations.NullMarked;
