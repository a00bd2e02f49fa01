package dev.twinbox.inbox.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.MalformedFrameException;
import com.rabbitmq.client.ShutdownSignalException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether messages are taken one at a time, because one of them seems to bring the connection down.
 *
 * <p>RabbitMQ's client closes the connection at a message that it cannot read, such as one with
 * headers nested deeper than 32. Nobody can acknowledge it then. A quorum queue gives it up after
 * its delivery limit; but everything that is delivered beside it is counted as well, and would be
 * given up with it. Taken one at a time, it is alone. For one thread.
 */
final class Caution {
  private static final Logger log = LoggerFactory.getLogger(Caution.class);
  private static final int LOSSES_WITHOUT_PROGRESS = 2;

  private final String queue;
  private final int until;
  private boolean taken;
  private int losses;

  /**
   * @param until so many messages acknowledged one by one end the caution
   */
  Caution(String queue, int until) {
    this.queue = queue;
    this.until = until;
  }

  boolean isTaken() {
    return taken;
  }

  /**
   * Takes note of why a connection was lost, and how much it had achieved. One that brought nothing
   * tells nothing: its consumer stood by while another one was active, or the broker was going
   * down.
   */
  void connectionLost(
      @Nullable ShutdownSignalException reason, boolean delivered, int acknowledged) {
    if (acknowledged > 0) {
      losses = 0;
    } else if (delivered) {
      losses++;
    }
    boolean suspicious = reason != null && isAboutContents(reason);
    if (suspicious || losses >= LOSSES_WITHOUT_PROGRESS) {
      if (suspicious) {
        log.error(
            "A message in queue '{}' seems to close the connection; messages are taken one at a"
                + " time until it is gone. A quorum queue dead-letters it after its delivery limit;"
                + " from a classic queue it has to be removed by hand",
            queue,
            reason);
      }
      taken = true;
    }
  }

  /** Tells once whether enough has gone well. */
  boolean endsAfter(int acknowledged) {
    if (!taken || acknowledged < until) {
      return false;
    }
    taken = false;
    losses = 0;
    return true;
  }

  /** The client could not read what came, or the broker complains about more than its shutdown. */
  private static boolean isAboutContents(ShutdownSignalException reason) {
    if (reason.getCause() instanceof MalformedFrameException) {
      return true;
    }
    return reason.getReason() instanceof AMQP.Connection.Close close
        && close.getReplyCode() != AMQP.CONNECTION_FORCED;
  }
}
