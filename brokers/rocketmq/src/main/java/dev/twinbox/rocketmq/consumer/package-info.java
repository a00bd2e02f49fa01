/** Brings RocketMQ's messages to an inbox: an offset moves when the database has committed. */
@NullMarked
package dev.twinbox.rocketmq.consumer;

import org.jspecify.annotations.NullMarked;
