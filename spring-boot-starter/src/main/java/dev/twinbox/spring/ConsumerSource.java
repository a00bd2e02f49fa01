package dev.twinbox.spring;

import dev.twinbox.inbox.Handler;
import dev.twinbox.inbox.Inbox;
import java.util.List;
import java.util.Set;

/**
 * Makes consumers of one broker for the listeners of this service. Beans of it for Kafka and
 * RabbitMQ come from what Spring Boot knows of them.
 */
public interface ConsumerSource {
  /** What it serves: {@code kafka}, {@code rabbitmq}. */
  String broker();

  /**
   * New consumers, not started.
   *
   * @param handler takes what comes from all of them
   * @param names of topics or queues, at least one
   */
  List<ListenerConsumer> consumers(Inbox inbox, Handler handler, Set<String> names);
}
