package dev.twinbox.cli.memory;

import java.io.Serializable;
import java.rmi.Remote;
import java.rmi.RemoteException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What clients ask of the broker's process. */
interface Remotely extends Remote {
  /** A message as it is kept. */
  record Kept(@Nullable String id, @Nullable String key, byte @Nullable [] payload)
      implements Serializable {}

  /** Whether a message was taken. */
  enum Answer {
    TAKEN,
    NO_TOPIC,
    TOO_LARGE
  }

  /** Returns at once, unless the broker is frozen. */
  void ping() throws RemoteException;

  Answer append(String topic, Kept message) throws RemoteException;

  /** How many messages a topic has; -1 when there is no such topic. */
  int size(String topic) throws RemoteException;

  List<Kept> read(String topic, int from, int most) throws RemoteException;

  /** Begins to consume: from here on the group's former session settles nothing. */
  long join(String group) throws RemoteException;

  /** How many messages of the topic the group has settled. */
  int settled(String group, String topic) throws RemoteException;

  /** False when the session is no longer the group's: what it holds belongs to another. */
  boolean settle(String group, long session, String topic, int upTo) throws RemoteException;
}
