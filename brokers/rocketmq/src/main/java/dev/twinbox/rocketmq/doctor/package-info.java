/**
 * What can lose or reorder messages in RocketMQ, with its remedy; and how far groups are behind.
 */
@NullMarked
package dev.twinbox.rocketmq.doctor;

import org.jspecify.annotations.NullMarked;
