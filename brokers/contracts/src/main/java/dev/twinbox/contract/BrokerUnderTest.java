package dev.twinbox.contract;

import dev.twinbox.broker.Broker;
import java.time.Duration;
import java.util.List;

/** A real broker, and what the contract does to it. */
public interface BrokerUnderTest {
  /** A client of it that gives up after these times: looking for it, and waiting for confirms. */
  Broker broker(Duration lookTimeout, Duration confirmTimeout);

  /** A new destination, which keeps the order of all its messages. */
  String newDestination();

  /** A destination whose topic or exchange does not exist. */
  String missingDestination();

  /** Makes what {@link #missingDestination()} lacked. */
  void create(String destination);

  /** More bytes than the broker takes in a message, though its client can send them. */
  int tooManyBytes();

  /** What the destination holds, in order. */
  List<Arrived> read(String destination);

  /** Takes the broker off the network, so that connections break. */
  void takeDown();

  /** Ends {@link #takeDown()}. */
  void bringBack();

  /** Freezes it: connections stay and nothing answers. */
  void freeze();

  /** Ends {@link #freeze()}. */
  void thaw();
}
