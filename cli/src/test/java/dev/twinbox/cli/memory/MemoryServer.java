package dev.twinbox.cli.memory;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.rmi.ConnectException;
import java.rmi.NotBoundException;
import java.rmi.RemoteException;
import java.rmi.registry.LocateRegistry;
import java.rmi.registry.Registry;
import java.rmi.server.UnicastRemoteObject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The broker's process: one in this JVM, which can go away or freeze. Thread-safe. */
final class MemoryServer implements Remotely, AutoCloseable {
  static final int MOST_BYTES = 100_000;
  private static final String NAME = "twinbox";

  private final Map<String, List<Kept>> topics = new HashMap<>();
  private final Map<String, Integer> settled = new HashMap<>();
  private final Map<String, Long> sessions = new HashMap<>();
  private final Registry registry;
  private final int port;
  private boolean down;
  private boolean frozen;

  MemoryServer() {
    System.setProperty("java.rmi.server.hostname", "127.0.0.1");
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
      free.close();
      registry = LocateRegistry.createRegistry(port);
      registry.rebind(NAME, UnicastRemoteObject.exportObject(this, 0));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  static Remotely at(int port) throws RemoteException {
    try {
      return (Remotely) LocateRegistry.getRegistry("127.0.0.1", port).lookup(NAME);
    } catch (NotBoundException e) {
      throw new ConnectException("No broker on port " + port, e);
    }
  }

  int port() {
    return port;
  }

  synchronized void create(String topic) {
    topics.putIfAbsent(topic, new ArrayList<>());
  }

  synchronized void setDown(boolean value) {
    down = value;
  }

  synchronized void setFrozen(boolean value) {
    frozen = value;
    notifyAll();
  }

  /** Takes from every consumer what it holds. */
  synchronized void endSessions() {
    sessions.replaceAll((group, session) -> session + 1);
  }

  @Override
  public synchronized void ping() throws RemoteException {
    serve();
  }

  @Override
  public synchronized Answer append(String topic, Kept message) throws RemoteException {
    serve();
    List<Kept> messages = topics.get(topic);
    if (messages == null) {
      return Answer.NO_TOPIC;
    }
    byte[] payload = message.payload();
    if (payload != null && payload.length > MOST_BYTES) {
      return Answer.TOO_LARGE;
    }
    messages.add(message);
    return Answer.TAKEN;
  }

  @Override
  public synchronized int size(String topic) throws RemoteException {
    serve();
    List<Kept> messages = topics.get(topic);
    return messages == null ? -1 : messages.size();
  }

  @Override
  public synchronized List<Kept> read(String topic, int from, int most) throws RemoteException {
    serve();
    List<Kept> all = topics.getOrDefault(topic, List.of());
    int begin = Math.min(from, all.size());
    return new ArrayList<>(all.subList(begin, Math.min(all.size(), begin + most)));
  }

  @Override
  public synchronized long join(String group) throws RemoteException {
    serve();
    return sessions.merge(group, 1L, Long::sum);
  }

  @Override
  public synchronized int settled(String group, String topic) throws RemoteException {
    serve();
    return settled.getOrDefault(group + "/" + topic, 0);
  }

  @Override
  public synchronized boolean settle(String group, long session, String topic, int upTo)
      throws RemoteException {
    serve();
    if (!Long.valueOf(session).equals(sessions.get(group))) {
      return false;
    }
    settled.put(group + "/" + topic, upTo);
    return true;
  }

  private void serve() throws RemoteException {
    while (frozen) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new RemoteException("interrupted", e);
      }
    }
    if (down) {
      throw new ConnectException("The broker is down");
    }
  }

  @Override
  public void close() {
    try {
      UnicastRemoteObject.unexportObject(this, true);
      UnicastRemoteObject.unexportObject(registry, true);
    } catch (RemoteException e) {
      throw new IllegalStateException(e);
    }
  }
}
