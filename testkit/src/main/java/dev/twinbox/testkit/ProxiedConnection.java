package dev.twinbox.testkit;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * One client and one server, and what is under way between them. Reading and writing are separate
 * threads, so that a delay costs time but no bandwidth; the bounded queue keeps back-pressure.
 */
final class ProxiedConnection {
  private static final int CHUNK = 16 * 1024;
  private static final int QUEUE = 64;

  private final Socket client;
  private final Socket server;
  private final ProxyState state;
  private final Consumer<ProxiedConnection> whenClosed;
  private final AtomicInteger unfinished = new AtomicInteger(2);
  private volatile boolean lostBytes;
  private volatile boolean closed;

  ProxiedConnection(
      Socket client, Socket server, ProxyState state, Consumer<ProxiedConnection> whenClosed) {
    this.client = client;
    this.server = server;
    this.state = state;
    this.whenClosed = whenClosed;
  }

  /** Bytes and when they may arrive; no bytes at all are the end of the stream. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Parcel(byte[] bytes, long dueNanos) {}

  void start() throws SocketException {
    client.setTcpNoDelay(true);
    server.setTcpNoDelay(true);
    pump(client, server, false);
    pump(server, client, true);
  }

  boolean hasLostBytes() {
    return lostBytes;
  }

  /** Closes both sides with RST, so that neither takes it for an orderly end. */
  void reset() {
    for (Socket socket : new Socket[] {client, server}) {
      try {
        socket.setSoLinger(true, 0);
      } catch (SocketException e) {
        // Closed already.
      }
    }
    close();
  }

  private void close() {
    closed = true;
    FaultProxy.close(client);
    FaultProxy.close(server);
    whenClosed.accept(this);
  }

  private void pump(Socket from, Socket to, boolean responses) {
    BlockingQueue<Parcel> underWay = new ArrayBlockingQueue<>(QUEUE);
    FaultProxy.daemon("reader", () -> orReset(() -> read(from, underWay)));
    FaultProxy.daemon("writer", () -> orReset(() -> write(underWay, to, responses)));
  }

  private void read(Socket from, BlockingQueue<Parcel> underWay)
      throws IOException, InterruptedException {
    byte[] buffer = new byte[CHUNK];
    int length;
    do {
      length = from.getInputStream().read(buffer);
      Parcel parcel =
          new Parcel(
              Arrays.copyOf(buffer, Math.max(0, length)), System.nanoTime() + state.delayNanos());
      while (!underWay.offer(parcel, 1, TimeUnit.SECONDS)) {
        if (closed) {
          return;
        }
      }
    } while (length >= 0);
  }

  private void write(BlockingQueue<Parcel> underWay, Socket to, boolean responses)
      throws IOException, InterruptedException {
    while (!closed) {
      Parcel parcel = underWay.poll(1, TimeUnit.SECONDS);
      if (parcel == null) {
        continue;
      }
      TimeUnit.NANOSECONDS.sleep(parcel.dueNanos - System.nanoTime());
      state.awaitThaw(() -> closed);
      if (responses && state.dropping()) {
        lostBytes = true;
      } else if (parcel.bytes.length > 0) {
        to.getOutputStream().write(parcel.bytes);
      } else {
        finish(to);
        return;
      }
    }
  }

  private void finish(Socket to) throws IOException {
    if (unfinished.decrementAndGet() == 0) {
      close();
    } else {
      to.shutdownOutput();
    }
  }

  private interface Work {
    void run() throws IOException, InterruptedException;
  }

  private void orReset(Work work) {
    try {
      work.run();
    } catch (IOException e) {
      reset();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      reset();
    }
  }
}
