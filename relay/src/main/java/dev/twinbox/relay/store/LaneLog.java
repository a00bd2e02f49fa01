package dev.twinbox.relay.store;

import dev.twinbox.postgres.Parameters;
import dev.twinbox.postgres.Sql;
import dev.twinbox.postgres.Tables;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/**
 * The lanes' states, an insert-only log: every change appends row {@code seq + 1} to the one it
 * knows, naming the claim and the window that it means. The primary key lets one writer succeed; a
 * stale, delayed or repeated write inserts nothing and answers empty, which means that the lane is
 * lost.
 *
 * <p>Why no row is lost between two windows. Let a window reach from snapshot {@code done} to
 * snapshot {@code target}. A row that {@code target} sees and {@code done} does not has an xid that
 * {@code done} lists as running, or one at or above {@code xmax(done)}. The first are read by xid.
 * The second are read by position above the floor, and the floor is the sequence's value read in a
 * statement before the settling or claiming transaction had an xid of its own, which ended before
 * {@code done} was taken. A row at or below that floor belongs to a transaction whose xid was drawn
 * before the floor was read (the column default draws the xid first), so before the settling
 * transaction's xid; that one had completed when {@code done} was taken, so {@code xmax(done)} is
 * above it.
 *
 * <p>Thread-safe.
 */
public final class LaneLog {
  /** Which answer of the statement that settles is the new state: after two of settings. */
  private static final int SETTLED = 2;

  private final Pipeline pipeline;
  private final long leaseMillis;
  private final Sql read;
  private final Sql readAll;
  private final Sql claim;
  private final Sql renew;
  private final Sql refresh;
  private final Sql open;
  private final Sql openIfAny;
  private final Sql openAny;
  private final Sql settleAndOpen;
  private final Sql progress;
  private final Sql settle;
  private final Sql release;
  private final Sql trim;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   * @param lease how long a claim holds after each write, by the database's clock
   */
  public LaneLog(Pipeline pipeline, Tables tables, Duration lease) {
    this.pipeline = pipeline;
    this.leaseMillis = lease.toMillis();
    read = tables.named(LaneLogSql.READ);
    readAll = tables.named(LaneLogSql.READ_ALL);
    claim = tables.named(LaneLogSql.CLAIM);
    renew = tables.named(LaneLogSql.RENEW);
    refresh = tables.named(LaneLogSql.REFRESH);
    open = tables.named(LaneLogSql.OPEN);
    openIfAny = tables.named(LaneLogSql.OPEN_IF_ANY);
    openAny = tables.named(LaneLogSql.OPEN_ANY_WITH_PAGES);
    progress = tables.named(LaneLogSql.PROGRESS);
    settle = tables.named(LaneLogSql.SETTLE);
    settleAndOpen = tables.named(LaneLogSql.SETTLE_AND_OPEN);
    release = tables.named(LaneLogSql.RELEASE);
    trim = tables.named(LaneLogSql.TRIM);
  }

  /** A lane as others see it. */
  public record Listed(LaneState state, boolean free) {}

  /** The lane's state now, or empty when there is no such lane. */
  public Optional<LaneState> read(int lane) throws SQLException {
    return pipeline.query(read, p -> p.set("lane", lane), LaneLog::one);
  }

  /** All lanes of these brokers, and whether they may be claimed. */
  public List<Listed> list(Collection<String> brokers) throws SQLException {
    return pipeline.query(
        readAll,
        p -> p.set("brokers", "text", brokers.toArray()),
        rows -> {
          List<Listed> lanes = new ArrayList<>();
          while (rows.next()) {
            lanes.add(new Listed(state(rows), rows.getBoolean("free")));
          }
          return lanes;
        });
  }

  /**
   * Takes a lane whose lease is free, or whose claim is {@code former}: epoch + 1, a fresh claim
   * id. The next floor is refreshed only when no window is open; an open window is continued.
   *
   * @return the new state, or empty when another relay holds or took it, or when the tables do not
   *     belong to this cluster
   */
  public Optional<LaneState> claim(LaneState known, String owner) throws SQLException {
    UUID claimId = UUID.randomUUID();
    return pipeline.query(
        claim,
        p ->
            p.set("owner", owner)
                .set("claim_id", claimId)
                .set("lease", leaseMillis)
                .set("lane", known.lane())
                .set("seq", known.seq()),
        LaneLog::one);
  }

  /** Extends the lease. Empty when the lane is lost. */
  public Optional<LaneState> renew(LaneState known) throws SQLException {
    return append(renew, known);
  }

  /** Raises the next floor while no window is open: cheaper pages after a burst. */
  public Optional<LaneState> refresh(LaneState known) throws SQLException {
    return append(refresh, known);
  }

  /**
   * Opens the window up to now. Durable, on the synchronous standby too, before it returns:
   * whatever the window shows can then no longer be erased by a crash.
   */
  public Optional<LaneState> open(LaneState known) throws SQLException {
    return append(open, known);
  }

  /**
   * Notes how far the open window has come.
   *
   * @param cursor every row of the window up to here is settled
   * @param ahead settled positions beyond the cursor
   */
  public Optional<LaneState> progress(LaneState known, long cursor, List<Long> ahead)
      throws SQLException {
    return pipeline.query(
        progress,
        p -> bindCursor(bindOurs(p.set("lease", leaseMillis), known), cursor, ahead),
        LaneLog::one);
  }

  /** Ends the open window, every row of which must be settled. */
  public Optional<LaneState> settle(LaneState known) throws SQLException {
    return append(settle, known);
  }

  /**
   * A window that was just opened.
   *
   * @param state the lane with it
   * @param page its first rows
   */
  public record Opened(LaneState state, WindowReader.Page page) {}

  /**
   * A window that was ended, and the next one.
   *
   * @param settled the lane without a window; empty when the lane is lost
   * @param opened the next window; empty when nothing waited for it
   */
  public record Turn(Optional<LaneState> settled, Optional<Opened> opened) {}

  /**
   * Opens a window if anything waits for it, and reads its first rows, in one round trip. What the
   * window shows is as durable as after {@link #open}. The window itself need not be: where a crash
   * erases it, its owner's next write hits nothing, and the window before it is gone on with.
   *
   * @param rows most rows of the page
   * @param bytes the page ends with the row that reaches so many bytes
   * @return empty when nothing waits, or when the lane is lost
   */
  public Optional<Opened> openIfAny(LaneState known, int rows, long bytes) throws SQLException {
    return pipeline.queryAll(
        openIfAny,
        p -> {
          bindOurs(p.set("lease", leaseMillis), known);
          bindPage(p.set("opened", known.seq() + 1), rows, bytes);
        },
        results -> opened(results, rows, bytes));
  }

  /**
   * What came of opening several lanes' windows.
   *
   * @param windows those that were opened, by their lanes' numbers
   * @param position the highest position handed out before
   */
  public record Openings(Map<Integer, Opened> windows, long position) {
    public Openings {
      windows = Map.copyOf(windows);
    }
  }

  /**
   * As {@link #openIfAny}, of several lanes in one transaction and one round trip. All windows that
   * it opens reach up to the same snapshot.
   *
   * @param known the lanes, in an order that is always the same
   * @param beyond a lane is left alone whose next floor is farther than this behind the position
   * @param rows most rows of each lane's page
   * @param bytes each lane's page ends with the row that reaches so many bytes
   */
  public Openings openAny(Collection<LaneState> known, long beyond, int rows, long bytes)
      throws SQLException {
    return pipeline.queryAll(
        openAny,
        p -> {
          bindLanes(p.set("lease", leaseMillis).set("beyond", beyond), known);
          bindPage(p.set("opened", "bigint", known, lane -> lane.seq() + 1), rows, bytes);
        },
        results -> {
          int firstPages = results.size() - 1 - LaneLogSql.AFTER_FIRST_PAGE;
          ResultSet settings = results.get(0);
          settings.next();
          return new Openings(
              openedOf(results.get(firstPages - 1), results.get(firstPages), rows, bytes),
              settings.getLong("last_value"));
        });
  }

  static void bindLanes(Parameters p, Collection<LaneState> known) throws SQLException {
    p.set("lanes", "integer", known, LaneState::lane)
        .set("seqs", "bigint", known, LaneState::seq)
        .set("epochs", "bigint", known, LaneState::epoch)
        .set("claim_ids", "uuid", known, LaneState::claimId)
        .set("windows", "bigint", known, LaneState::window);
  }

  private static Map<Integer, Opened> openedOf(
      ResultSet states, ResultSet pages, int rows, long bytes) throws SQLException {
    Map<Integer, LaneState> windows = new LinkedHashMap<>();
    while (states.next()) {
      LaneState window = state(states);
      windows.put(window.lane(), window);
    }
    Map<Integer, WindowReader.Page> read = WindowReader.readAll(pages, windows, rows, bytes);
    Map<Integer, Opened> opened = new HashMap<>();
    windows.forEach(
        (lane, window) ->
            opened.put(lane, new Opened(window, Objects.requireNonNull(read.get(lane)))));
    return opened;
  }

  /**
   * Ends the open window, every row of which must be settled; then, in a transaction of its own,
   * does as {@link #openIfAny}. One round trip.
   */
  public Turn settleAndOpen(LaneState known, int rows, long bytes) throws SQLException {
    return pipeline.queryAll(
        settleAndOpen,
        p -> {
          bindOurs(p.set("lease", leaseMillis), known);
          bindPage(p.set("settled", known.seq() + 1).set("opened", known.seq() + 2), rows, bytes);
        },
        results -> new Turn(one(results.get(SETTLED)), opened(results, rows, bytes)));
  }

  static void bindPage(Parameters p, int rows, long bytes) throws SQLException {
    p.set("rows", rows).set("bytes", bytes);
  }

  private static Optional<Opened> opened(List<ResultSet> results, int rows, long bytes)
      throws SQLException {
    int firstPage = results.size() - 1 - LaneLogSql.AFTER_FIRST_PAGE;
    Optional<LaneState> state = one(results.get(firstPage - 1));
    if (state.isEmpty()) {
      return Optional.empty();
    }
    ResultSet page = results.get(firstPage);
    LaneState window = state.get();
    long upTo = WindowReader.firstUpTo(window);
    return Optional.of(new Opened(window, WindowReader.read(page, window, upTo, rows, bytes)));
  }

  /** Frees the lane for others; the open window, if any, stays open at the cursor. */
  public Optional<LaneState> release(LaneState known, long cursor, List<Long> ahead)
      throws SQLException {
    return pipeline.query(
        release, p -> bindCursor(bindOurs(p, known), cursor, ahead), LaneLog::one);
  }

  /**
   * Deletes all but the newest rows of each lane, and none that is younger than a minute: a write
   * that was on its way for so long could otherwise find its number free again.
   */
  public long trim(long keep) throws SQLException {
    return pipeline.query(
        trim,
        p -> p.set("keep", keep),
        rows -> {
          rows.next();
          return rows.getLong(1);
        });
  }

  private Optional<LaneState> append(Sql sql, LaneState known) throws SQLException {
    return pipeline.query(sql, p -> bindOurs(p.set("lease", leaseMillis), known), LaneLog::one);
  }

  static Parameters bindOurs(Parameters p, LaneState known) throws SQLException {
    return p.set("lane", known.lane())
        .set("seq", known.seq())
        .set("epoch", known.epoch())
        .set("claim_id", known.claimId())
        .set("window", known.window());
  }

  static void bindCursor(Parameters p, long cursor, List<Long> ahead) throws SQLException {
    p.set("cursor", cursor).set("ahead", "bigint", ahead.toArray());
  }

  static Optional<LaneState> one(ResultSet rows) throws SQLException {
    return rows.next() ? Optional.of(state(rows)) : Optional.empty();
  }

  private static LaneState state(ResultSet rows) throws SQLException {
    Array ahead = rows.getArray("ahead");
    return new LaneState(
        rows.getInt("lane"),
        rows.getLong("seq"),
        rows.getString("owner"),
        rows.getObject("claim_id", UUID.class),
        rows.getLong("epoch"),
        rows.getLong("window_number"),
        rows.getString("done"),
        rows.getString("target"),
        rows.getLong("floor"),
        rows.getLong("next_floor"),
        rows.getLong("ceiling"),
        rows.getLong("cursor_position"),
        Arrays.asList((Long[]) ahead.getArray()));
  }
}
