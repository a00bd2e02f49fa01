package dev.twinbox.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A TCP proxy on a free port of localhost that breaks connections the way networks do.
 *
 * <p>It passes everything on unchanged until told otherwise. Faults can be combined and hold for
 * open and for later connections. Safe for use by several threads; its own are daemons.
 */
public final class FaultProxy implements AutoCloseable {
  private static final Duration BIND_LIMIT = Duration.ofSeconds(5);

  private final InetSocketAddress target;
  private final InetSocketAddress own;
  private final ProxyState state = new ProxyState();
  private final Set<ProxiedConnection> open = ConcurrentHashMap.newKeySet();
  private final AtomicLong connections = new AtomicLong();
  private ServerSocket listener;
  private volatile boolean closed;

  private FaultProxy(InetSocketAddress target, InetSocketAddress own) {
    this.target = target;
    this.own = own;
    listener = listen();
  }

  /** Starts a proxy to the given address, which need not be reachable yet. */
  public static FaultProxy to(String host, int port) {
    return new FaultProxy(
        new InetSocketAddress(host, port),
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.OF_THIS_JVM.free()));
  }

  /**
   * Starts a proxy to a port of 127.0.0.1 on the same port of another loopback address: for servers
   * that tell their clients under which address, but not under which port to come back.
   */
  static FaultProxy onSamePort(String address, int port) {
    return new FaultProxy(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
        new InetSocketAddress(address, port));
  }

  /** The port on 127.0.0.1 to connect to. */
  public int port() {
    return own.getPort();
  }

  /** How many connections were taken since the start. */
  public long connections() {
    return connections.get();
  }

  /** How many connections are open now. */
  public int openConnections() {
    return open.size();
  }

  /** Resets every open connection on both sides; new ones are taken. */
  public void cut() {
    List.copyOf(open).forEach(ProxiedConnection::reset);
  }

  /** Has new connections refused, as if nobody listened; open ones stay. */
  public synchronized void refuse() {
    close(listener);
  }

  /** Ends {@link #refuse()}. */
  public synchronized void accept() {
    if (listener.isClosed()) {
      listener = listen();
    }
  }

  /** Holds back all bytes, both ways, while connections stay open and new ones are taken. */
  public void freeze() {
    state.frozen(true);
  }

  /** Ends {@link #freeze()}: what was held back arrives. */
  public void thaw() {
    state.frozen(false);
  }

  /** Delivers bytes later by this much, both ways, at unchanged bandwidth. Default: zero. */
  public void delay(Duration delay) {
    state.delay(delay);
  }

  /** Swallows what the server says, its goodbye included: requests arrive, answers do not. */
  public void dropResponses() {
    state.dropping(true);
  }

  /** Ends {@link #dropResponses()} for new connections, and resets those that lost bytes. */
  public void passResponses() {
    state.dropping(false);
    List.copyOf(open).stream()
        .filter(ProxiedConnection::hasLostBytes)
        .forEach(ProxiedConnection::reset);
  }

  /** Ends every fault. */
  public void restore() {
    delay(Duration.ZERO);
    passResponses();
    thaw();
    accept();
  }

  /** Resets every connection and stops listening. */
  @Override
  public void close() {
    closed = true;
    refuse();
    cut();
  }

  @Override
  public String toString() {
    return "Proxy from " + own + " to " + target;
  }

  /** A port that was just closed stays bound until the thread that accepted on it has noticed. */
  private ServerSocket listen() {
    long end = System.nanoTime() + BIND_LIMIT.toNanos();
    while (true) {
      try {
        ServerSocket socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(own);
        daemon("listener", () -> take(socket));
        return socket;
      } catch (IOException e) {
        if (System.nanoTime() - end > 0) {
          throw new UncheckedIOException(own + " is not free for the proxy", e);
        }
        LockSupport.parkNanos(5_000_000);
      }
    }
  }

  private void take(ServerSocket socket) {
    while (!socket.isClosed()) {
      Socket client;
      try {
        client = socket.accept();
      } catch (IOException e) {
        continue;
      }
      connections.incrementAndGet();
      daemon("connection", () -> connect(client));
    }
  }

  private void connect(Socket client) {
    Socket server = new Socket();
    ProxiedConnection connection = new ProxiedConnection(client, server, state, open::remove);
    open.add(connection);
    try {
      server.connect(target);
      if (server.getLocalSocketAddress().equals(server.getRemoteSocketAddress())) {
        // Nobody listens, and the system has chosen the same port for this end: it talks to itself.
        throw new ConnectException("Connected to itself");
      }
      connection.start();
    } catch (IOException e) {
      connection.reset();
    }
    if (closed) {
      connection.reset();
    }
  }

  static void daemon(String name, Runnable work) {
    Thread thread = new Thread(work, "fault-proxy-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  static void close(AutoCloseable socket) {
    try {
      socket.close();
    } catch (Exception e) {
      // Already closed by the other side, which is what was wanted.
    }
  }
}
