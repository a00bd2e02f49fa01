package dev.twinbox.relay.store;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.Paced.Batch;
import dev.twinbox.relay.store.Paced.Range;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The dead letters as an operator works on them. Each change is one transaction with its line in
 * the audit, durable before it returns; rows that another operator is at are passed over.
 * Thread-safe.
 */
public final class DeadLetterTable {
  /** The most bytes of headers that are shown; an outbox takes 32 KiB. */
  private static final int MOST_SHOWN = 256 * 1024;

  private static final String SHOWN =
      "d.number, d.lane, d.position, d.id, d.created_at, d.expires_at, d.destination, d.key,"
          + " d.type, d.content_type, d.headers, d.reason, d.error, d.attempts, d.first_failed_at,"
          + " d.dead_at, d.blocks_key, d.discarded_at, coalesce(octet_length(d.payload), 0) as"
          + " size, ";
  private static final String PICKED =
      "picked as (select d.number from {outbox_dead_letter} d cross join f where "
          + DeadLetterFilter.MATCHES
          + " and d.number > ? and d.number <= ? and (d.discarded_at is not null) = ? order by"
          + " d.number limit ? for update of d skip locked), ";
  private static final String AUDIT =
      ", noted as (insert into {outbox_audit} (act, done_by, action, selection, affected) select ?,"
          + " ?, ?, ?, count(*) from done having count(*) > 0) select"
          + " set_config('twinbox.done', count(*) || ' ' || coalesce(max(number), 0), true) from"
          + " done; ";
  private static final String END = "select current_setting('twinbox.done'); commit";

  private final Pipeline pipeline;
  private final Tables tables;
  private final String list;
  private final String redrive;
  private final String discard;
  private final String restore;

  /**
   * Deletes the rows that dead letters have left in the outbox: without the dead letter they would
   * look like published ones, to the archive as well. Named {@code withdrawn}.
   *
   * @param letters what is no dead letter any more, with lane, position and id; and a condition
   */
  static String withdraw(String letters) {
    return "withdrawn as (delete from {outbox} o using (select g.position, g.id, f.lane from"
        + " (select lane, position, id from "
        + letters
        + ") g join {outbox_lane} l on l.lane = g.lane join {outbox_lane} f on f.broker = l.broker"
        + " and (f.lane = l.lane or f.generation < l.generation)) w where o.lane = w.lane and"
        + " o.position = w.position and o.id = w.id)";
  }

  /** Works on the tables in {@code tables}. */
  public DeadLetterTable(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    this.tables = tables;
    list =
        DeadLetterFilter.ROW
            + "select "
            + SHOWN
            + "%s as payload from {outbox_dead_letter} d cross join f where "
            + DeadLetterFilter.MATCHES
            + " and (? or d.discarded_at is null) and d.number > ? order by d.number limit ?";
    String begin =
        Pipeline.BEGIN_LONG + "set local synchronous_commit = on; " + DeadLetterFilter.ROW + ", ";
    String beginByIndex =
        Pipeline.BEGIN_LONG
            + "set local synchronous_commit = on; "
            + Pipeline.local("enable_hashjoin", "off", "enable_mergejoin", "off")
            + DeadLetterFilter.ROW
            + ", ";
    // One that blocks its key goes back to its place before the followers; the relay lets them go
    // when it is published. It waits there itself while an earlier dead letter of its key is left.
    // Any other is enqueued anew, behind whatever its key has by now.
    redrive =
        tables.sql(
            beginByIndex
                + PICKED
                + "done as (delete from {outbox_dead_letter} d using picked p where d.number ="
                + " p.number returning d.*), fresh as (select done.*, coalesce(clock_timestamp() +"
                + " ? * interval '1 millisecond', case when expires_at > clock_timestamp() then"
                + " expires_at end) as fresh_until from done), back as (insert into {outbox_parked}"
                + " (lane, position, id, created_at, expires_at, destination, key, type,"
                + " content_type, headers, payload, reason, blocked) select lane, position, id,"
                + " created_at, fresh_until, destination, key, type, content_type, headers,"
                + " payload, 'redriven', exists (select 1 from {outbox_dead_letter} e where e.lane"
                + " = fresh.lane and e.key = fresh.key and e.blocks_key and e.position <"
                + " fresh.position and e.number not in (select number from done)) from fresh where"
                + " blocks_key), sent as (insert into {outbox} (lane, id, created_at, expires_at,"
                + " destination, key, type, content_type, headers, payload) select "
                + LaneSql.laneNow("fresh")
                + ", id, created_at, fresh_until, destination, key, type, content_type, headers,"
                + " payload from fresh where not blocks_key order by number), "
                + withdraw("fresh where not blocks_key")
                + AUDIT
                + END);
    discard =
        tables.sql(
            begin
                + PICKED
                + "done as (update {outbox_dead_letter} d set discarded_at = now(), blocks_key ="
                + " false from picked p where d.number = p.number returning d.number)"
                + AUDIT
                + "with keys as (select distinct d.lane, d.key from {outbox_dead_letter} d where"
                + " d.discarded_at = now() and d.key is not null) "
                + ParkedSql.RELEASE
                + "; "
                + END);
    restore =
        tables.sql(
            begin
                + PICKED
                + "done as (update {outbox_dead_letter} d set discarded_at = null from picked p"
                + " where d.number = p.number returning d.number)"
                + AUDIT
                + END);
  }

  /**
   * A dead letter.
   *
   * @param number its number, in the order in which messages were given up
   * @param message the message; without its payload in a list
   * @param size the payload's size in bytes
   * @param reason the code of the cause
   * @param error what the broker or client said
   * @param attempts how often it was tried
   * @param firstFailedAt when it failed first
   * @param deadAt when it was given up
   * @param blocksKey whether its key's followers wait for it
   * @param discardedAt when it was put aside, or null
   */
  public record DeadLetter(
      long number,
      OutboxRecord message,
      int size,
      String reason,
      @Nullable String error,
      int attempts,
      Instant firstFailedAt,
      Instant deadAt,
      boolean blocksKey,
      @Nullable Instant discardedAt) {}

  /**
   * Dead letters of one cause.
   *
   * @param oldest when the first of them was given up
   * @param newest when the last of them was given up
   * @param example what the broker or client said of the last one
   */
  public record Group(
      String destination,
      String reason,
      long count,
      Instant oldest,
      Instant newest,
      @Nullable String example) {}

  /**
   * A key whose messages wait behind a dead letter.
   *
   * @param number the dead letter's number
   * @param waiting messages behind it, counted up to 10,000
   */
  public record BlockedKey(
      String key, String destination, long number, String reason, Instant since, long waiting) {}

  /**
   * One line of the audit.
   *
   * @param act what belongs to one act of an operator has the same
   * @param by who did it
   * @param action what was done
   * @param selection to which dead letters
   * @param affected how many they were
   */
  public record AuditLine(
      Instant at, UUID act, String by, String action, String selection, long affected) {}

  /**
   * Who does it, and what it is a part of.
   *
   * @param act the same for all batches of one act
   * @param by who
   */
  public record Actor(UUID act, String by) {}

  /** Some dead letters in order of their numbers, without payload. */
  public List<DeadLetter> list(
      DeadLetterFilter filter, boolean discardedToo, long beyond, int limit) throws SQLException {
    return pipeline.query(
        tables.sql(list.formatted("null::bytea")),
        s -> {
          int next = filter.bind(s);
          s.setBoolean(next, discardedToo);
          s.setLong(next + 1, beyond);
          s.setInt(next + 2, limit);
        },
        rows -> {
          List<DeadLetter> found = new ArrayList<>();
          while (rows.next()) {
            found.add(deadLetter(rows));
          }
          return found;
        });
  }

  /** One dead letter, whole. */
  public Optional<DeadLetter> find(long number) throws SQLException {
    DeadLetterFilter one = DeadLetterFilter.ALL.withNumbers(List.of(number));
    return pipeline.query(
        tables.sql(
            list.formatted(
                "case when octet_length(d.payload) <= "
                    + OutboxRows.MOST_BYTES
                    + " then d.payload end")),
        s -> {
          int next = one.bind(s);
          s.setBoolean(next, true);
          s.setLong(next + 1, 0);
          s.setInt(next + 2, 1);
        },
        rows -> rows.next() ? Optional.of(deadLetter(rows)) : Optional.empty());
  }

  /** How many there are of each cause, discarded ones left out. */
  public List<Group> groups(DeadLetterFilter filter) throws SQLException {
    return pipeline.query(
        tables.sql(
            DeadLetterFilter.ROW
                + "select d.destination, d.reason, count(*) as count, min(d.dead_at) as oldest,"
                + " max(d.dead_at) as newest, (array_agg(d.error order by d.number desc))[1] as"
                + " example from {outbox_dead_letter} d cross join f where "
                + DeadLetterFilter.MATCHES
                + " and d.discarded_at is null group by 1, 2 order by 1, 2"),
        filter::bind,
        rows -> {
          List<Group> groups = new ArrayList<>();
          while (rows.next()) {
            groups.add(
                new Group(
                    rows.getString("destination"),
                    rows.getString("reason"),
                    rows.getLong("count"),
                    time(rows, "oldest"),
                    time(rows, "newest"),
                    rows.getString("example")));
          }
          return groups;
        });
  }

  /** The keys that wait behind a dead letter, the longest blocked first. */
  public List<BlockedKey> blockedKeys(int limit) throws SQLException {
    return pipeline.query(
        tables.sql(
            "select d.key, d.destination, d.number, d.reason, d.dead_at, (select count(*) from"
                + " (select 1 from {outbox_parked} p where p.lane = d.lane and p.key = d.key limit"
                + " 10000) w) as waiting from {outbox_dead_letter} d where d.blocks_key order by"
                + " d.number limit ?"),
        s -> s.setInt(1, limit),
        rows -> {
          List<BlockedKey> blocked = new ArrayList<>();
          while (rows.next()) {
            blocked.add(
                new BlockedKey(
                    rows.getString("key"),
                    rows.getString("destination"),
                    rows.getLong("number"),
                    rows.getString("reason"),
                    time(rows, "dead_at"),
                    rows.getLong("waiting")));
          }
          return blocked;
        });
  }

  /**
   * What a selection is now, so that what is given up later does not get into it.
   *
   * @param count how many dead letters match
   * @param highest the highest of their numbers; 0 for none
   * @param beyondHorizon how many of them are so old that consumers have dropped, or soon drop,
   *     their dedup record
   * @param horizon for how long consumers keep dedup records
   */
  public record Selected(long count, long highest, long beyondHorizon, Duration horizon) {}

  /** Counts what matches and is discarded, or not. A message's age is that of its id. */
  public Selected select(DeadLetterFilter filter, boolean discarded) throws SQLException {
    return pipeline.query(
        tables.sql(
            DeadLetterFilter.ROW
                + "select count(*) as count, coalesce(max(d.number), 0) as highest, count(*) filter"
                + " (where d.id < {inbox_bound}(clock_timestamp() - r.horizon)) as old,"
                + " extract(epoch from r.horizon) as horizon from {inbox_retention} r left join"
                + " ({outbox_dead_letter} d cross join f) on "
                + DeadLetterFilter.MATCHES
                + " and (d.discarded_at is not null) = ? group by r.horizon"),
        s -> s.setBoolean(filter.bind(s), discarded),
        rows -> {
          rows.next();
          boolean any = rows.getLong("highest") > 0;
          return new Selected(
              any ? rows.getLong("count") : 0,
              rows.getLong("highest"),
              rows.getLong("old"),
              Duration.ofSeconds(rows.getLong("horizon")));
        });
  }

  /**
   * Sends some again, with the same ids: those that block their key go back to their place before
   * its followers, the others behind whatever their keys have by now. An expiry that is over is
   * left out.
   *
   * @param timeToLive when they expire anew, from now; or null
   */
  public Batch redrive(
      DeadLetterFilter filter, Range range, Actor actor, @Nullable Duration timeToLive)
      throws SQLException {
    return pipeline.query(
        redrive,
        s -> {
          int next = bind(s, filter, range, /* discarded= */ false);
          s.setObject(
              next, timeToLive == null ? null : timeToLive.toMillis(), java.sql.Types.BIGINT);
          bind(s, next + 1, actor, "redrive", filter);
        },
        DeadLetterTable::batch);
  }

  /** Puts some aside; keys that they block are free. */
  public Batch discard(DeadLetterFilter filter, Range range, Actor actor) throws SQLException {
    return pipeline.query(
        discard,
        s -> bind(s, bind(s, filter, range, /* discarded= */ false), actor, "discard", filter),
        DeadLetterTable::batch);
  }

  /** Brings some back that were put aside. They no longer block their keys. */
  public Batch restore(DeadLetterFilter filter, Range range, Actor actor) throws SQLException {
    return pipeline.query(
        restore,
        s -> bind(s, bind(s, filter, range, /* discarded= */ true), actor, "restore", filter),
        DeadLetterTable::batch);
  }

  /** The newest lines of the audit. */
  public List<AuditLine> audit(int limit) throws SQLException {
    return pipeline.query(
        tables.sql(
            "select done_at, act, done_by, action, selection, affected from {outbox_audit} order by"
                + " number desc limit ?"),
        s -> s.setInt(1, limit),
        rows -> {
          List<AuditLine> lines = new ArrayList<>();
          while (rows.next()) {
            lines.add(
                new AuditLine(
                    time(rows, "done_at"),
                    rows.getObject("act", UUID.class),
                    rows.getString("done_by"),
                    rows.getString("action"),
                    rows.getString("selection"),
                    rows.getLong("affected")));
          }
          return lines;
        });
  }

  private static int bind(
      PreparedStatement s, DeadLetterFilter filter, Range range, boolean discarded)
      throws SQLException {
    int next = filter.bind(s);
    s.setLong(next, range.beyond());
    s.setLong(next + 1, range.upTo());
    s.setBoolean(next + 2, discarded);
    s.setInt(next + 3, range.limit());
    return next + 4;
  }

  private static void bind(
      PreparedStatement s, int first, Actor actor, String action, DeadLetterFilter filter)
      throws SQLException {
    s.setObject(first, actor.act());
    s.setString(first + 1, actor.by());
    s.setString(first + 2, action);
    s.setString(first + 3, filter.toString());
  }

  private static Batch batch(ResultSet rows) throws SQLException {
    rows.next();
    String[] done = rows.getString(1).split(" ", 2);
    return new Batch(Long.parseLong(done[0]), Long.parseLong(done[1]));
  }

  private static DeadLetter deadLetter(ResultSet r) throws SQLException {
    return new DeadLetter(
        r.getLong("number"),
        OutboxRows.shown(r),
        r.getInt("size"),
        r.getString("reason"),
        r.getString("error"),
        r.getInt("attempts"),
        time(r, "first_failed_at"),
        time(r, "dead_at"),
        r.getBoolean("blocks_key"),
        OutboxRows.instant(r, "discarded_at"));
  }

  private static Instant time(ResultSet r, String column) throws SQLException {
    return r.getObject(column, OffsetDateTime.class).toInstant();
  }
}
