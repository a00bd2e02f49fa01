package dev.twinbox.examples.demo;

import dev.twinbox.broker.Broker;
import dev.twinbox.inbox.Receiver;
import java.util.UUID;
import java.util.function.Consumer;

/** What the demo asks of a broker that it has started. Closing it stops the broker. */
interface DemoBroker extends AutoCloseable {
  /** Where the shop sends its messages. */
  String destination();

  /** The relay's way to it; the relay closes it. */
  Broker forRelay();

  /** Starts a consumer of the destination. */
  AutoCloseable consume(Receiver receiver);

  /** Starts to read everything that arrives and to send some of it once more. */
  Saboteur sabotage();

  /** How many messages it holds, repeated ones included. */
  long held();

  /** How many deliveries the consumer has acknowledged, repeated ones included. */
  long delivered();

  /** Reads everything that it holds, in its order from beginning to end. */
  void read(Consumer<UUID> reader);

  /** How to look at it from outside, a line or two. */
  String howToConnect();

  @Override
  void close();
}
