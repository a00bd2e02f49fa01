/** Checks of a Kafka cluster through its admin client. */
@NullMarked
package dev.twinbox.inbox.doctor.kafka;

import org.jspecify.annotations.NullMarked;
