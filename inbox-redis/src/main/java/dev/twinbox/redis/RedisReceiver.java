package dev.twinbox.redis;

import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.inbox.BackgroundWork;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.DeliverySource;
import dev.twinbox.inbox.HandlerWatch;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The inbox in Redis with the handler of its messages. */
final class RedisReceiver implements Receiver {
  private final RedisInbox inbox;
  private final RedisReception reception;

  RedisReceiver(RedisInbox inbox, MessageHandler<RedisWork> handler) {
    this.inbox = inbox;
    reception = new RedisReception(inbox, inbox.quarantine(), handler);
  }

  @Override
  public String consumer() {
    return inbox.consumer();
  }

  @Override
  public Duration handlerTimeLimit() {
    return inbox.handlerTimeLimit();
  }

  @Override
  public boolean mayOvertake() {
    return inbox.mayOvertake();
  }

  @Override
  public List<Receipt> receiveAll(List<Delivery> deliveries, HandlerWatch watch) {
    return reception.receive(inbox.terms(), deliveries, watch);
  }

  @Override
  public void receiveEach(DeliverySource deliveries, HandlerWatch watch) {
    boolean settled = true;
    while (settled && watch.goOn()) {
      Delivery delivery = deliveries.next();
      if (delivery == null) {
        return;
      }
      Receipt receipt = receiveAll(List.of(delivery), watch).get(0);
      settled = receipt.settled();
      deliveries.received(receipt);
    }
  }

  @Override
  public Diagnosis examine() {
    return inbox.examine();
  }

  @Override
  public Optional<Duration> keptFor() {
    try {
      return Optional.of(Duration.ofMillis(inbox.terms().horizon()));
    } catch (DatabaseUnavailableException e) {
      return Optional.empty();
    }
  }

  @Override
  public BackgroundWork backgroundWork() {
    return new RedisRedriver(inbox, reception);
  }
}
