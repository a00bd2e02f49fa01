/** Publishes to RabbitMQ: what is confirmed was routed and is durable, in the order of its key. */
@NullMarked
package dev.twinbox.relay.rabbitmq;

import org.jspecify.annotations.NullMarked;
