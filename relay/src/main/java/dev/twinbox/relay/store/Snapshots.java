package dev.twinbox.relay.store;

/** Reads PostgreSQL's text form of a snapshot, {@code xmin:xmax:xip,xip}. */
final class Snapshots {
  private Snapshots() {}

  /** The first xid that had not yet completed, and none after it had. */
  static String xmax(String snapshot) {
    int first = snapshot.indexOf(':');
    return snapshot.substring(first + 1, snapshot.indexOf(':', first + 1));
  }
}
