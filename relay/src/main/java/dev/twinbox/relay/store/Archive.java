package dev.twinbox.relay.store;

/**
 * SQL that copies published messages into the archive, where one is kept. What is dead or parked is
 * not published: it comes there when it is, if it is. What was enqueued from the archive is there
 * already.
 */
final class Archive {
  private static final String COLUMNS =
      "lane, position, id, created_at, expires_at, destination, key, type, content_type, headers,"
          + " payload";

  private static final String OF_ROW =
      "o.lane, o.position, o.id, o.created_at, o.expires_at, o.destination, o.key, o.type,"
          + " o.content_type, o.headers, o.payload";

  private static final String INTO = "insert into {outbox_archive} (" + COLUMNS + ") select ";

  /** Whether messages are archived, as a condition. */
  static final String IS_KEPT =
      "exists (select 1 from {outbox_retention} k where k.archive is not null)";

  private Archive() {}

  /** Copies what {@code source}, called {@code o}, holds of published messages. */
  static String copy(String source) {
    return INTO
        + OF_ROW
        + " from "
        + source
        + " o where not exists (select 1 from {outbox_dead_letter} d where d.lane = o.lane and"
        + " d.position = o.position and d.id = o.id) and not exists (select 1 from {outbox_parked} p"
        + " where p.lane = o.lane and p.position = o.position and p.id = o.id) and not exists"
        + " (select 1 from {outbox_replay} r where r.xid = o.xid)";
  }

  /**
   * Copies parked messages that were published, unless the outbox still has their row: then
   * rotation does it. It excludes this by its lock.
   *
   * @param gone what was deleted from the parked messages, with all columns
   */
  static String copyParked(String gone) {
    return INTO
        + OF_ROW
        + " from "
        + gone
        + " o where "
        + IS_KEPT
        + " and not exists (select 1 from {outbox} x where x.lane = o.lane and x.position ="
        + " o.position)";
  }
}
