package dev.twinbox.broker;

/**
 * Hands messages of one lane to a broker and reports what became of each.
 *
 * <p>Contract, the same for every broker:
 *
 * <ul>
 *   <li>{@link #publish} and {@link #flush} are called by one thread, in the lane's order.
 *   <li>Each record handed over gets exactly one outcome, from any thread, possibly before {@code
 *       publish} returns; never none. Outcomes of different keys come in any order.
 *   <li>{@link Outcome.Published} only after the broker's durable confirm (Kafka acks=all; RabbitMQ
 *       publisher confirm of a routed, persistent message).
 *   <li>Records with the same key reach the broker in the order in which they were handed over,
 *       whatever their destinations: one that follows an unsettled one of its key is never
 *       confirmed while the earlier could still fail. After the first outcome of a key other than
 *       Published or Rejected, no later record of that key is sent; each gets {@link
 *       Outcome.Unknown}, or {@link Outcome.Unavailable} where it goes to the same unavailable
 *       destination.
 *   <li>After {@link Outcome.Unavailable} or {@link Outcome.Unknown} the publisher has stopped: it
 *       sends nothing more, what it had not sent gets Unknown at once, and what it had sent may
 *       still be confirmed until it is closed. The caller closes it and opens a new one. After
 *       {@link Outcome.Failed} it may go on with other keys, or stop as well.
 *   <li>A record whose {@linkplain OutcomeListener#deadline() deadline} passes while the publisher
 *       still has it is not sent: it is Rejected as {@link Outcome.Reason#EXPIRED}, at the latest
 *       when its turn comes. Where the client below has it already and may still send it, that is
 *       made to forget it, and the outcome is Unknown.
 *   <li>{@code publish} does not wait for the broker. How many records are outstanding is the
 *       caller's business; the publisher keeps what it cannot send yet.
 * </ul>
 */
public interface Publisher extends AutoCloseable {
  /** Takes the next record; the listener hears its one outcome. */
  void publish(OutboxRecord record, OutcomeListener listener);

  /** Says that no record follows for now: what is buffered is sent without further delay. */
  void flush();

  /**
   * What it waits for, as far as it knows, for logs and health: a few words without secrets, as in
   * {@code no broker is connected}; empty for nothing special. Never blocks; callable from any
   * thread.
   */
  default String waitsFor() {
    return "";
  }

  /**
   * Gives up at once, without waiting for the broker. Every record without an outcome gets {@link
   * Outcome.Unknown} before this returns, and none gets one afterwards. Idempotent; callable from
   * any thread, a listener's included, but not under a lock that the listener takes: it waits for a
   * listener that is being called on another thread, for five seconds at most.
   */
  @Override
  void close();
}
