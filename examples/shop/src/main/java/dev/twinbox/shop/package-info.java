/**
 * A small Spring Boot service: a shop that charges by way of Kafka and ships by way of RabbitMQ.
 */
@NullMarked
package dev.twinbox.shop;

import org.jspecify.annotations.NullMarked;
