package dev.twinbox.spring.autoconfigure;

import dev.twinbox.outbox.Outbox;
import org.springframework.context.ApplicationListener;
import org.springframework.context.PayloadApplicationEvent;

/** Enqueues published events that are messages, in the transaction of whoever publishes them. */
final class PublishedEvents implements ApplicationListener<PayloadApplicationEvent<?>> {
  private final Outbox outbox;
  private final OutboxEvents events;

  PublishedEvents(Outbox outbox, OutboxEvents events) {
    this.outbox = outbox;
    this.events = events;
  }

  @Override
  public void onApplicationEvent(PayloadApplicationEvent<?> event) {
    if (events.knows(event.getPayload().getClass())) {
      outbox.enqueue(event.getPayload());
    }
  }

  @Override
  public boolean supportsAsyncExecution() {
    return false; // another thread has another transaction
  }
}
