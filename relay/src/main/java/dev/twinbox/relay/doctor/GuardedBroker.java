package dev.twinbox.relay.doctor;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.Publisher;
import java.time.InstantSource;

/** A broker whose publishers send only where no message can be lost. */
final class GuardedBroker implements Broker {
  private final Broker broker;
  private final DestinationGuard guard;

  GuardedBroker(Broker broker, DestinationGuard guard) {
    this.broker = broker;
    this.guard = guard;
  }

  @Override
  public String name() {
    return broker.name();
  }

  @Override
  public Publisher open(int lane) {
    return new GuardedPublisher(broker.open(lane), guard);
  }

  @Override
  public void useClock(InstantSource clock) {
    broker.useClock(clock);
  }

  @Override
  public void close() {
    guard.close();
    broker.close();
  }
}
