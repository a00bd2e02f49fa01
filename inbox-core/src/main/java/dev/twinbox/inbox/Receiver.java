package dev.twinbox.inbox;

import dev.twinbox.broker.doctor.Diagnosis;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * An inbox together with the handler of its messages: what consumers bring deliveries to. It knows
 * neither a broker nor what the inbox keeps its records in, see {@link Inbox#receiver}.
 *
 * <p>Thread-safe.
 */
public interface Receiver {
  /** The consumer's name, under which ids are recorded. */
  String consumer();

  /** How long a handler may take, before a consumer interrupts it and gives up what it holds. */
  Duration handlerTimeLimit();

  /** Whether messages may overtake a failed one of their key. */
  boolean mayOvertake();

  /**
   * Receives a batch. What follows a failed delivery and has its key is {@link Receipt.Held},
   * unless messages may overtake. An id that is in the batch twice is processed once. Once the
   * watch says that handlers may not go on, what was not processed by then is {@link Receipt.Held}.
   *
   * @param deliveries in the order in which they arrived, and in which handlers are called
   * @param watch the calling thread's; told of each handler that begins
   * @return a receipt for each delivery, in the same order
   * @throws DatabaseUnavailableException when the inbox's records could not be read or written.
   *     Part of the batch may have been processed by then; handed over again it is recognised
   */
  List<Receipt> receiveAll(List<Delivery> deliveries, HandlerWatch watch);

  /**
   * Receives deliveries one after another, each in a transaction of its own, for as long as there
   * are more. Returns when the source has no more now, when the watch says that handlers may not go
   * on, after a receipt that is not settled, and sometimes before. What was taken and not received
   * by then was not handled: hand it out again, in the same order.
   *
   * @param watch the calling thread's; told of each handler that begins
   * @throws DatabaseUnavailableException when the inbox's records could not be read or written.
   *     What was taken and not received may have been processed all the same
   */
  void receiveEach(DeliverySource deliveries, HandlerWatch watch);

  /**
   * Looks for settings by which messages could be lost or take effect twice. Changes nothing and
   * throws nothing: what cannot be reached is a finding.
   */
  Diagnosis examine();

  /**
   * For how long redelivered messages are recognised, at least; empty when that is not known now.
   */
  Optional<Duration> keptFor();

  /** New work beside receiving; whoever consumes starts it first and closes it last. */
  BackgroundWork backgroundWork();
}
