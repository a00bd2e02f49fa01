package dev.twinbox.relay.store;

/**
 * SQL that copies published messages into the archive, where one is kept: each once.
 *
 * <p>Two write there, and neither needs to know what the other is doing. What was parked is
 * archived in the transaction that takes it out, wherever its row in the outbox is. What was not is
 * archived when its leaf is emptied: that leaves out what is dead or parked, which is not published
 * yet, and what the archive has already. A row leaves the one state for the other within one
 * transaction, so every snapshot shows it in exactly one of them.
 *
 * <p>Positions are compared without lanes: a retired lane's parked messages and dead letters move
 * to other lanes, while their rows stay.
 */
final class ArchiveSql {
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

  private ArchiveSql() {}

  /**
   * What {@link #copy} looks up, to stand after its {@code with}: the archive's messages within the
   * positions of {@code source}. They are few, though the archive is large.
   */
  static String known(String source) {
    return "bounds as materialized (select min(position) as low, max(position) as high from "
        + source
        + "), known as materialized (select a.position, a.id from {outbox_archive} a where"
        + " a.position >= (select low from bounds) and a.position <= (select high from bounds))";
  }

  /** Copies what {@code source}, called {@code o}, holds of published messages. */
  static String copy(String source) {
    return INTO
        + OF_ROW
        + " from "
        + source
        + " o where not exists (select 1 from {outbox_dead_letter} d where d.position = o.position"
        + " and d.id = o.id) and not exists (select 1 from {outbox_parked} p where p.position ="
        + " o.position and p.id = o.id) and not exists (select 1 from {outbox_replay} r where r.xid"
        + " = o.xid) and not exists (select 1 from known a where a.position = o.position and a.id ="
        + " o.id)";
  }

  /**
   * Copies parked messages that were published. One that the archive had before was enqueued from
   * there.
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
        + " and not exists (select 1 from {outbox_archive} a where a.id = o.id)";
  }
}
