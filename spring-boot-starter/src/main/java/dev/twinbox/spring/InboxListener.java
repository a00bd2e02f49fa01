package dev.twinbox.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method that handles messages, each once: it runs in Spring's transaction, which also records
 * the message's id, so repositories and templates just work. What it throws rolls both back; the
 * message comes again, and is quarantined after its last attempt.
 *
 * <p>Parameters, in any order: the payload, decoded as the parameter's class ({@code byte[]} and
 * {@code String} as they are); {@code Delivery}; {@code InboxTransaction}; and {@code String}s with
 * {@link InboxHeader}. The method may run more than once for a message; only one run commits.
 *
 * <p>All listeners of one consumer that read from Kafka share its group, which is called like the
 * consumer. Two listeners of one consumer cannot take the same type from the same topic or queue.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface InboxListener {
  /**
   * Where messages come from, as they were enqueued: {@code kafka:orders} for a topic, {@code
   * rabbitmq:/billing} for a queue. Placeholders are resolved. This, {@link #topics} or {@link
   * #queue}.
   */
  String destination() default "";

  /** Topics of Kafka. Placeholders are resolved. */
  String[] topics() default {};

  /** A queue of RabbitMQ. Placeholders are resolved. */
  String queue() default "";

  /** The messages' types, such as {@code order.placed}. Default: all that no other listener has. */
  String[] type() default {};

  /** Under which name ids are recorded. Default: {@code twinbox.inbox.consumer}. */
  String consumer() default "";
}
