package dev.twinbox.rabbitmq.publisher;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.broker.Supervision;
import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * One connection, which can be cut at any moment by any thread, even while it is being made or a
 * write hangs: it keeps hold of the socket underneath, and no method waits for the broker but
 * {@link #connect}.
 */
final class RabbitLink {
  private static final int CLOSE_TIMEOUT_MILLIS = 2000;

  private @Nullable Socket socket;
  private @Nullable Connection connection;
  private boolean cut;

  /** Connects, within the timeouts of the factory. */
  Connection connect(RabbitSettings settings, String connectionName)
      throws IOException, TimeoutException {
    ConnectionFactory factory = settings.factory();
    factory.setSocketConfigurator(factory.getSocketConfigurator().andThen(this::hold));
    Connection made = settings.connect(factory, connectionName);
    synchronized (this) {
      connection = made;
      if (!cut) {
        return made;
      }
    }
    cut();
    throw new IOException("closed while connecting");
  }

  /** Drops the connection and what is still in its buffers. */
  void cut() {
    Socket held;
    Connection made;
    synchronized (this) {
      cut = true;
      held = socket;
      made = connection;
    }
    if (held == null) {
      if (made != null) {
        Supervision.inBackground("twinbox-rabbitmq-close", made::abort);
      }
    } else if (held instanceof SSLSocket) {
      // It may try to say goodbye to the other side.
      Supervision.inBackground("twinbox-rabbitmq-close", () -> close(held));
    } else {
      close(held);
    }
  }

  /** Closes in good order, in the background; for a connection on which nothing is under way. */
  void close() {
    Connection made;
    synchronized (this) {
      made = connection;
    }
    if (made == null) {
      cut();
      return;
    }
    Supervision.inBackground(
        "twinbox-rabbitmq-close",
        () -> {
          made.abort(CLOSE_TIMEOUT_MILLIS);
          cut();
        });
  }

  private synchronized void hold(Socket made) throws IOException {
    socket = made;
    if (cut) {
      made.close();
    }
  }

  private static void close(Socket socket) {
    try {
      // Reset instead of flushing: what was not sent yet is not to arrive later.
      socket.setSoLinger(true, 0);
    } catch (IOException e) {
      // It is closed already, or about to be.
    }
    try {
      socket.close();
    } catch (IOException e) {
      // Closed all the same.
    }
  }
}
