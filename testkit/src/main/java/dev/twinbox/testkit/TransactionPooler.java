package dev.twinbox.testkit;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A proxy that lends its few server connections for single transactions, as PgBouncer does in
 * transaction mode: whatever a session keeps, prepared statements and settings among it, stays with
 * a server connection that the next transaction of somebody else gets. Statements that the driver
 * has prepared under a name are passed on unchanged, as PgBouncer did before 1.21 and does with
 * {@code max_prepared_statements = 0}.
 *
 * <p>One role and database; without passwords, TLS and COPY. Safe for use by several threads; its
 * own are daemons.
 */
public final class TransactionPooler implements AutoCloseable {
  private static final int SSL_REQUEST = 80877103;
  private static final int GSS_REQUEST = 80877104;
  private static final int CANCEL_REQUEST = 80877102;

  private final int serverPort;
  private final int connections;
  private final ServerSocket listener;
  private final LinkedBlockingQueue<Link> idle = new LinkedBlockingQueue<>();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private boolean started;

  private TransactionPooler(int serverPort, int connections) {
    this.serverPort = serverPort;
    this.connections = connections;
    try {
      listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException("No port for the pooler", e);
    }
    FaultProxy.daemon("pooler", this::take);
  }

  /**
   * Starts a pooler in front of a server.
   *
   * @param serverPort where it listens on localhost
   * @param connections how many the pooler has to it; each transaction gets the one that has been
   *     idle for longest
   */
  public static TransactionPooler to(int serverPort, int connections) {
    return new TransactionPooler(serverPort, connections);
  }

  /** The port on 127.0.0.1 to connect to. */
  public int port() {
    return listener.getLocalPort();
  }

  /** Ends every connection and stops listening. */
  @Override
  public void close() {
    FaultProxy.close(listener);
    open.forEach(FaultProxy::close);
  }

  private void take() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        FaultProxy.daemon("pooled", () -> serve(client));
      } catch (IOException e) {
        // Closed, or a client that has gone already.
      }
    }
  }

  private void serve(Socket socket) {
    Link linked = null;
    try (Link client = new Link(socket)) {
      Message startup = client.startup();
      if (startup == null) {
        return;
      }
      client.send(greeting(startup));
      ByteBuffer request = ByteBuffer.allocate(1 << 20);
      while (true) {
        Message message = client.message();
        if (message.type() == 'X') {
          return;
        }
        request = appended(request, message);
        if (message.type() == 'Q' || message.type() == 'S') {
          if (linked == null) {
            linked = idle.take();
          }
          linked.send(request);
          request.clear();
          if (answer(linked, client) == 'I') {
            idle.add(linked);
            linked = null;
          }
        }
      }
    } catch (EOFException e) {
      // The client has gone; what it left open ends with the server's connection.
    } catch (IOException e) {
      // The same, or the server has gone.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (linked != null) {
        replace(linked);
      }
    }
  }

  /** Passes on what the server says up to its being ready; returns its transaction status. */
  private static char answer(Link server, Link client) throws IOException {
    while (true) {
      Message message = server.message();
      client.write(message);
      if (message.type() == 'Z') {
        client.flush();
        return (char) message.body()[0];
      }
    }
  }

  /** The server's own greeting, under a process number that is nobody's. */
  private synchronized ByteBuffer greeting(Message startup) throws IOException {
    ByteBuffer greeting = ByteBuffer.allocate(1 << 16);
    for (int i = 0; !started && i < connections; i++) {
      idle.add(connect(startup));
    }
    started = true;
    Link sample = new Link(new Socket(InetAddress.getLoopbackAddress(), serverPort));
    try (sample) {
      sample.write(startup);
      sample.flush();
      while (true) {
        Message message = sample.message();
        if (message.type() == 'K') {
          ByteBuffer key = ByteBuffer.wrap(message.body());
          key.putInt(ThreadLocalRandom.current().nextInt(1 << 28, 1 << 30));
        }
        message.writeTo(greeting);
        if (message.type() == 'Z') {
          return greeting;
        }
      }
    }
  }

  private Link connect(Message startup) throws IOException {
    Link server = new Link(new Socket(InetAddress.getLoopbackAddress(), serverPort));
    server.startup = startup;
    server.write(startup);
    server.flush();
    while (server.message().type() != 'Z') {
      // Parameters, which the client has by another connection.
    }
    return server;
  }

  private void replace(Link broken) {
    broken.close();
    Message startup = broken.startup;
    try {
      if (startup != null && !listener.isClosed()) {
        idle.add(connect(startup));
      }
    } catch (IOException e) {
      // The server has gone: one connection less.
    }
  }

  private static ByteBuffer appended(ByteBuffer request, Message message) {
    ByteBuffer target = request;
    if (request.remaining() < message.length()) {
      target = ByteBuffer.allocate(2 * (request.position() + message.length()));
      request.flip();
      target.put(request);
    }
    message.writeTo(target);
    return target;
  }

  /**
   * What goes either way.
   *
   * @param type its letter; 0 for a startup, which has none
   * @param body without type and length
   */
  private record Message(char type, byte[] body) {
    int length() {
      return body.length + 5;
    }

    void writeTo(ByteBuffer target) {
      if (type != 0) {
        target.put((byte) type);
      }
      target.putInt(body.length + 4);
      target.put(body);
    }
  }

  /** One side of the pooler. */
  private final class Link implements AutoCloseable {
    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;
    private @Nullable Message startup;

    Link(Socket socket) throws IOException {
      this.socket = socket;
      socket.setTcpNoDelay(true);
      open.add(socket);
      in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 1 << 16));
      out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream(), 1 << 16));
    }

    /** Null when it only wants to cancel. */
    @Nullable Message startup() throws IOException {
      while (true) {
        byte[] body = new byte[in.readInt() - 4];
        in.readFully(body);
        int code = ByteBuffer.wrap(body).getInt();
        if (code == CANCEL_REQUEST) {
          return null;
        }
        if (code != SSL_REQUEST && code != GSS_REQUEST) {
          return new Message((char) 0, body);
        }
        out.write('N');
        out.flush();
      }
    }

    Message message() throws IOException {
      char type = (char) in.readUnsignedByte();
      byte[] body = new byte[in.readInt() - 4];
      in.readFully(body);
      return new Message(type, body);
    }

    void write(Message message) throws IOException {
      if (message.type() != 0) {
        out.writeByte(message.type());
      }
      out.writeInt(message.body().length + 4);
      out.write(message.body());
    }

    void send(ByteBuffer bytes) throws IOException {
      out.write(bytes.array(), 0, bytes.position());
      out.flush();
    }

    void flush() throws IOException {
      out.flush();
    }

    @Override
    public void close() {
      open.remove(socket);
      FaultProxy.close(socket);
    }
  }
}
