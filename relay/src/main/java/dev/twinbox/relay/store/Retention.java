package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.SQLException;

/**
 * What is let go when it has been kept for long enough: see the table {@code outbox_retention}.
 * Everything in small transactions that pass over rows which others are at. Thread-safe.
 */
public final class Retention {
  private static final int DAYS_AHEAD = 2;

  private final Pipeline pipeline;
  private final String makeDays;
  private final String dropDay;
  private final String discard;
  private final String purge;

  /** Works on the tables in {@code tables}. */
  public Retention(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    makeDays = tables.sql(Pipeline.BEGIN_LONG + "select {outbox_archive_make_days}(?); commit");
    dropDay = tables.sql(Pipeline.BEGIN_LONG + "select {outbox_archive_drop_day}(); commit");
    discard =
        tables.sql(
            Pipeline.BEGIN_LONG
                + "with old as (select d.number, r.dead_letters from {outbox_dead_letter} d cross"
                + " join {outbox_retention} r where d.discarded_at is null and not d.blocks_key and"
                + " d.dead_at < clock_timestamp() - r.dead_letters order by d.dead_at limit ? for"
                + " update of d skip locked), done as (update {outbox_dead_letter} d set"
                + " discarded_at = clock_timestamp() from old o where d.number = o.number returning"
                + " o.dead_letters), noted as (insert into {outbox_audit} (done_by, action,"
                + " selection, affected) select ?, 'discard', 'older than ' || max(dead_letters),"
                + " count(*) from done having count(*) > 0) select count(*) from done; commit");
    purge =
        tables.sql(
            Pipeline.BEGIN_LONG
                + Pipeline.local("enable_hashjoin", "off", "enable_mergejoin", "off")
                + "with r as materialized (select clock_timestamp() - discarded as discarded,"
                + " clock_timestamp() - dedup as dedup, clock_timestamp() - interval '30 days' as"
                + " replay, ?::integer as many from {outbox_retention}), letters as (delete from"
                + " {outbox_dead_letter} where number in (select d.number from {outbox_dead_letter}"
                + " d where d.discarded_at < (select discarded from r) order by d.discarded_at"
                + " limit (select many from r) for update skip locked) returning lane, position,"
                + " id), "
                + DeadLetterTable.withdraw("letters")
                + ", keys as (delete from {outbox_dedup} where dedup_key in (select k.dedup_key"
                + " from {outbox_dedup} k where k.created_at < (select dedup from r) limit (select"
                + " many from r) for update skip locked) returning 1), replays as (delete from"
                + " {outbox_replay} where replayed_at < (select replay from r) returning 1) select"
                + " greatest((select count(*) from letters), (select count(*) from keys), (select"
                + " count(*) from replays), {outbox_audit_purge}((select many from r))); commit");
  }

  /** Makes the archive's next days, and drops days that are over; as many as there are. */
  public void turnArchive() throws SQLException {
    pipeline.query(makeDays, s -> s.setInt(1, DAYS_AHEAD), rows -> rows.next());
    boolean dropped = true;
    while (dropped) {
      dropped = pipeline.query(dropDay, s -> {}, rows -> rows.next() && rows.getString(1) != null);
    }
  }

  /**
   * Puts aside dead letters that nobody has decided on for long, but for those that block a key.
   *
   * @param by who does it, for the audit
   * @return how many
   */
  public long discardOld(int atMost, String by) throws SQLException {
    return pipeline.query(
        discard,
        s -> {
          s.setInt(1, atMost);
          s.setString(2, by);
        },
        rows -> rows.next() ? rows.getLong(1) : 0);
  }

  /**
   * Deletes discarded dead letters, lines of the audit and dedup keys that are old enough.
   *
   * @param atMost at most so many of each
   * @return how many of the most numerous kind: when it is {@code atMost}, there may be more
   */
  public long purge(int atMost) throws SQLException {
    return pipeline.query(
        purge, s -> s.setInt(1, atMost), rows -> rows.next() ? rows.getLong(1) : 0);
  }
}
