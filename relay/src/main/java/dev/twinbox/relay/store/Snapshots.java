package dev.twinbox.relay.store;

import java.util.List;

/** Reads PostgreSQL's text form of a snapshot, {@code xmin:xmax:xip,xip}. */
final class Snapshots {
  private Snapshots() {}

  /** The first xid that had not yet completed, and none after it had. */
  static String xmax(String snapshot) {
    int first = snapshot.indexOf(':');
    return snapshot.substring(first + 1, snapshot.indexOf(':', first + 1));
  }

  /** The xids below {@link #xmax} that were running. */
  static List<String> running(String snapshot) {
    String list = snapshot.substring(snapshot.lastIndexOf(':') + 1);
    return list.isEmpty() ? List.of() : List.of(list.split(",", -1));
  }
}
