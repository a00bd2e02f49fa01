package dev.twinbox.inbox;

/**
 * What a message makes happen, inside the transaction that also records its id.
 *
 * <p>It may run more than once for a message; only one run commits. What it does outside the
 * transaction (a call, a mail) can therefore happen several times: enqueue a message in an outbox
 * instead, in the same transaction. Consumers with a concurrency above one call it from several
 * threads at once.
 */
@FunctionalInterface
public interface Handler {
  /**
   * Handles one message.
   *
   * @param delivery the message
   * @param work the running transaction; never committed or rolled back here
   * @throws UnprocessableException when no retry can help: the message is quarantined at once
   * @throws Exception anything else rolls the transaction back; the message is tried again later,
   *     and quarantined after its last attempt
   */
  void handle(Delivery delivery, InboxTransaction work) throws Exception;
}
