package dev.twinbox.testkit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports for servers, which no two JVMs of this machine are given at a time.
 *
 * <p>A port that was found free is bound only seconds later, by the server that it is meant for,
 * and lies idle while that server is stopped. So ports come in blocks, and a block belongs to the
 * JVM that listens on its first port; the system takes it back with the JVM, however that ends.
 *
 * <p>They lie below those that systems hand out to clients. Else a client that keeps trying to
 * reach a stopped server could be given that server's own port, and keep it from starting again.
 */
final class Ports {
  private static final int FIRST = 16_000;
  private static final int BLOCKS = 320;
  private static final int BLOCK_SIZE = 50;

  static final Ports OF_THIS_JVM = new Ports();

  private final List<ServerSocket> guards = new ArrayList<>();
  private int next;
  private int end;

  /** A port that nobody uses and that was not given to anyone before. */
  synchronized int free() {
    while (true) {
      if (next == end) {
        takeBlock();
      }
      int port = next++;
      if (isFree(port)) {
        return port;
      }
    }
  }

  /** Gives all blocks back; only for owners that end before the JVM does. */
  synchronized void release() {
    for (ServerSocket guard : guards) {
      try {
        guard.close();
      } catch (IOException e) {
        throw new IllegalStateException("Port " + guard.getLocalPort() + " stays open", e);
      }
    }
    guards.clear();
    next = end;
  }

  private void takeBlock() {
    int start = ThreadLocalRandom.current().nextInt(BLOCKS);
    for (int i = 0; i < BLOCKS; i++) {
      int guard = FIRST + (start + i) % BLOCKS * BLOCK_SIZE;
      try {
        guards.add(listen(guard));
        next = guard + 1;
        end = guard + BLOCK_SIZE;
        return;
      } catch (IOException e) {
        // Somebody else's block.
      }
    }
    throw new IllegalStateException(
        "No free ports between " + FIRST + " and " + (FIRST + BLOCKS * BLOCK_SIZE - 1));
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = listen(port)) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  private static ServerSocket listen(int port) throws IOException {
    return new ServerSocket(port, 1, InetAddress.getLoopbackAddress());
  }
}
