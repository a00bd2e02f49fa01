package dev.twinbox.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Says which message an event is. An annotated event can be enqueued as it is, {@code
 * outbox.enqueue(event)}; published by {@code ApplicationEventPublisher.publishEvent}, it is
 * enqueued at once, in the publisher's transaction. Where there is none, the publisher gets the
 * outbox's {@code IllegalStateException}. The event is the payload, as the outbox's codec encodes
 * it.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
public @interface OutboxMessage {
  /** The destination, such as {@code kafka:orders}; placeholders ({@code ${...}}) are resolved. */
  String to();

  /** What happened, such as {@code order.placed}. */
  String type();

  /**
   * A SpEL expression on the event that gives the key, such as {@code orderId} or {@code
   * customer.id}. Default: no key. One that gives null is refused at enqueue.
   */
  String key() default "";

  /** Whether enqueue takes a lock on the key; see {@code Message.ordered()}. Default: no. */
  boolean ordered() default false;
}
