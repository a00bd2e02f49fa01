/**
 * RocketMQ: addresses of destinations. Publishers, consumers and checks are packages of their own.
 */
@NullMarked
package dev.twinbox.rocketmq;

import org.jspecify.annotations.NullMarked;
