/** Checks of RabbitMQ through the HTTP interface of its management plugin. */
@NullMarked
package dev.twinbox.inbox.doctor.rabbitmq;

import org.jspecify.annotations.NullMarked;
