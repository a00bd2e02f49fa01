/**
 * RabbitMQ: addresses of destinations. Publishers, consumers and checks are packages of their own.
 */
@NullMarked
package dev.twinbox.rabbitmq;

import org.jspecify.annotations.NullMarked;
