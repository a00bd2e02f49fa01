/** Checks of RabbitMQ through the HTTP interface of its management plugin. */
@NullMarked
package dev.twinbox.rabbitmq.doctor;

import org.jspecify.annotations.NullMarked;
