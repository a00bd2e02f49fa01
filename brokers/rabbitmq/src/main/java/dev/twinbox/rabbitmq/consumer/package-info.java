/**
 * From RabbitMQ to the handler: acknowledgements follow the database's commits, on a connection
 * that is made anew whenever it is lost.
 */
@NullMarked
package dev.twinbox.rabbitmq.consumer;

import org.jspecify.annotations.NullMarked;
