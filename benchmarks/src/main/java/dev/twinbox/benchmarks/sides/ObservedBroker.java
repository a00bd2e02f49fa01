package dev.twinbox.benchmarks.sides;

import dev.twinbox.benchmarks.worker.Confirms;
import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.OutcomeListener;
import dev.twinbox.broker.Publisher;

/** A broker whose confirms are heard of before the relay hears of them. */
final class ObservedBroker implements Broker {
  private final Broker broker;
  private final Confirms confirms;

  ObservedBroker(Broker broker, Confirms confirms) {
    this.broker = broker;
    this.confirms = confirms;
  }

  @Override
  public String name() {
    return broker.name();
  }

  @Override
  public Publisher open(int lane) {
    return new Observed(broker.open(lane), confirms);
  }

  @Override
  public void close() {
    broker.close();
  }

  private record Observed(Publisher publisher, Confirms confirms) implements Publisher {
    @Override
    public void publish(OutboxRecord record, OutcomeListener listener) {
      publisher.publish(
          record,
          (settled, outcome) -> {
            if (outcome instanceof Outcome.Published) {
              confirms.confirmed(settled.payload());
            }
            listener.settled(settled, outcome);
          });
    }

    @Override
    public void flush() {
      publisher.flush();
    }

    @Override
    public void close() {
      publisher.close();
    }
  }
}
