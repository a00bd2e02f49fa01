/** Checks of a Kafka cluster through its admin client. */
@NullMarked
package dev.twinbox.kafka.doctor;

import org.jspecify.annotations.NullMarked;
