/** Publishes to RocketMQ: what is confirmed is on disk and replicated, in the order of its key. */
@NullMarked
package dev.twinbox.rocketmq.publisher;

import org.jspecify.annotations.NullMarked;
