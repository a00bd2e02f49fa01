package dev.twinbox.relay.store;

import java.sql.Array;
import java.sql.PreparedStatement;
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
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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
  private final String read;
  private final String readAll;
  private final String claim;
  private final String renew;
  private final String refresh;
  private final String open;
  private final String openIfAny;
  private final String openAny;
  private final String settleAndOpen;
  private final String progress;
  private final String settle;
  private final String release;
  private final String trim;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   * @param lease how long a claim holds after each write, by the database's clock
   */
  public LaneLog(Pipeline pipeline, Tables tables, Duration lease) {
    this.pipeline = pipeline;
    this.leaseMillis = lease.toMillis();
    read = tables.sql(LaneLogSql.READ);
    readAll = tables.sql(LaneLogSql.READ_ALL);
    claim = tables.sql(LaneLogSql.CLAIM);
    renew = tables.sql(LaneLogSql.RENEW);
    refresh = tables.sql(LaneLogSql.REFRESH);
    open = tables.sql(LaneLogSql.OPEN);
    openIfAny = tables.sql(LaneLogSql.OPEN_IF_ANY);
    openAny = tables.sql(LaneLogSql.OPEN_ANY_WITH_PAGES);
    progress = tables.sql(LaneLogSql.PROGRESS);
    settle = tables.sql(LaneLogSql.SETTLE);
    settleAndOpen = settle + "; " + openIfAny;
    release = tables.sql(LaneLogSql.RELEASE);
    trim = tables.sql(LaneLogSql.TRIM);
  }

  /** A lane as others see it. */
  public record Listed(LaneState state, boolean free) {}

  /** The lane's state now, or empty when there is no such lane. */
  public Optional<LaneState> read(int lane) throws SQLException {
    return pipeline.query(read, s -> s.setInt(1, lane), LaneLog::one);
  }

  /** All lanes of these brokers, and whether they may be claimed. */
  public List<Listed> list(Collection<String> brokers) throws SQLException {
    return pipeline.query(
        readAll,
        s -> s.setArray(1, s.getConnection().createArrayOf("text", brokers.toArray())),
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
        s -> {
          s.setString(1, owner);
          s.setObject(2, claimId);
          s.setLong(3, leaseMillis);
          s.setInt(4, known.lane());
          s.setLong(5, known.seq());
          s.setString(6, owner);
        },
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
    return write(progress, known, cursor, ahead, true);
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
        s -> bindOpenIfAny(s, 1, known, known.seq(), rows, bytes),
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
        s -> bindOpenAny(s, known, beyond, rows, bytes),
        results -> {
          int firstPages = results.size() - 1 - LaneLogSql.AFTER_FIRST_PAGE;
          ResultSet settings = results.get(0);
          settings.next();
          return new Openings(
              openedOf(results.get(firstPages - 1), results.get(firstPages), rows, bytes),
              settings.getLong("last_value"));
        });
  }

  private void bindOpenAny(
      PreparedStatement s, Collection<LaneState> known, long beyond, int rows, long bytes)
      throws SQLException {
    s.setLong(1, leaseMillis);
    s.setArray(2, array(s, "integer", known, LaneState::lane));
    s.setArray(3, array(s, "bigint", known, LaneState::seq));
    s.setArray(4, array(s, "bigint", known, LaneState::epoch));
    s.setArray(5, array(s, "uuid", known, LaneState::claimId));
    s.setArray(6, array(s, "bigint", known, LaneState::window));
    s.setLong(7, beyond);
    bindFirstPages(s, 8, known, rows, bytes);
  }

  static void bindFirstPages(
      PreparedStatement s, int first, Collection<LaneState> known, int rows, long bytes)
      throws SQLException {
    s.setArray(first, array(s, "integer", known, LaneState::lane));
    s.setArray(first + 1, array(s, "bigint", known, lane -> lane.seq() + 1));
    s.setArray(first + 2, array(s, "uuid", known, LaneState::claimId));
    s.setInt(first + 3, rows);
    s.setInt(first + 4, rows);
    s.setInt(first + 5, rows);
    s.setLong(first + 6, bytes);
  }

  private static Array array(
      PreparedStatement s,
      String type,
      Collection<LaneState> lanes,
      Function<LaneState, @Nullable Object> value)
      throws SQLException {
    return s.getConnection().createArrayOf(type, lanes.stream().map(value).toArray());
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
        s -> {
          s.setLong(1, leaseMillis);
          bindOurs(s, 2, known);
          bindOpenIfAny(s, 7, known, known.seq() + 1, rows, bytes);
        },
        results -> new Turn(one(results.get(SETTLED)), opened(results, rows, bytes)));
  }

  private void bindOpenIfAny(
      PreparedStatement s, int first, LaneState known, long seq, int rows, long bytes)
      throws SQLException {
    s.setLong(first, leaseMillis);
    bindOurs(s, first + 1, known);
    s.setLong(first + 2, seq);
    bindFirstPage(s, first + 6, known.lane(), seq + 1, rows, bytes);
  }

  static void bindFirstPage(
      PreparedStatement s, int first, int lane, long seq, int rows, long bytes)
      throws SQLException {
    s.setInt(first, lane);
    s.setLong(first + 1, seq);
    s.setInt(first + 2, lane);
    s.setInt(first + 3, rows);
    s.setInt(first + 4, lane);
    s.setInt(first + 5, lane);
    s.setInt(first + 6, rows);
    s.setInt(first + 7, rows);
    s.setLong(first + 8, bytes);
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
    return write(release, known, cursor, ahead, false);
  }

  /**
   * Deletes all but the newest rows of each lane, and none that is younger than a minute: a write
   * that was on its way for so long could otherwise find its number free again.
   */
  public long trim(long keep) throws SQLException {
    return pipeline.query(
        trim,
        s -> s.setLong(1, keep),
        rows -> {
          rows.next();
          return rows.getLong(1);
        });
  }

  private Optional<LaneState> append(String sql, LaneState known) throws SQLException {
    return pipeline.query(
        sql,
        s -> {
          s.setLong(1, leaseMillis);
          bindOurs(s, 2, known);
        },
        LaneLog::one);
  }

  private Optional<LaneState> write(
      String sql, LaneState known, long cursor, List<Long> ahead, boolean leased)
      throws SQLException {
    return pipeline.query(
        sql,
        s -> {
          int next = 1;
          if (leased) {
            s.setLong(next++, leaseMillis);
          }
          s.setLong(next++, cursor);
          s.setArray(next++, s.getConnection().createArrayOf("bigint", ahead.toArray()));
          bindOurs(s, next, known);
        },
        LaneLog::one);
  }

  static void bindOurs(PreparedStatement s, int first, LaneState known) throws SQLException {
    s.setInt(first, known.lane());
    s.setLong(first + 1, known.seq());
    s.setLong(first + 2, known.epoch());
    s.setObject(first + 3, known.claimId());
    s.setLong(first + 4, known.window());
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
