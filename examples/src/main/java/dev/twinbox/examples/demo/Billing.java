package dev.twinbox.examples.demo;

import dev.twinbox.inbox.Receiver;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * The business that reads: adds each order to its customer's balance. An order that were applied
 * twice would show, as nothing here but the inbox prevents it.
 */
interface Billing extends AutoCloseable {
  /** The consumer's name in its inbox. */
  String CONSUMER = "billing";

  /** What a customer owes, and for how many orders. */
  record Balance(long cents, long orders) {}

  /** Takes messages by way of the inbox that is where the balances are. */
  Receiver receiver();

  /** How many orders the balances say they hold. */
  long applied();

  /** Reads the messages that had an effect, in the order of their effects. */
  void effects(Consumer<UUID> reader);

  /** Where {@link #effects} are noted, for people. */
  String effectsAt();

  /** All balances, by customer. */
  Map<Integer, Balance> balances();

  /** How to look at it from outside; empty where the database's is enough. */
  String howToConnect();

  @Override
  void close();
}
