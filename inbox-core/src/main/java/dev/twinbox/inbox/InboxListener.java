package dev.twinbox.inbox;

import java.time.Duration;
import java.util.List;

/**
 * Is told what an {@link Inbox} does, for metrics. Called by the receiving threads: be quick. What
 * it throws is logged and changes nothing.
 */
public interface InboxListener {
  /**
   * A batch was received.
   *
   * @param receipts what became of each delivery
   * @param took how long it took, its commits included; for a transaction of the caller's, until
   *     the handler had ended
   */
  void received(List<Receipt> receipts, Duration took);

  /**
   * A handler has ended, well or not.
   *
   * @param took how long it ran
   */
  void handled(Duration took);
}
