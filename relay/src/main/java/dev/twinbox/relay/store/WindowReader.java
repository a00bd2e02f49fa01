package dev.twinbox.relay.store;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.postgres.Parameters;
import dev.twinbox.postgres.Sql;
import dev.twinbox.postgres.Tables;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads a lane's outbox rows: the idle poll and the pages of a window. Thread-safe.
 *
 * <p>The plans must not depend on statistics, so each statement's shape admits one index only, and
 * the transaction switches off the alternatives to walking it in order. A comparison of whole rows,
 * {@code (xid, lane, position) > (...)}, can be walked in order by the index on just these columns
 * and by no other.
 */
public final class WindowReader {
  /**
   * Sequential scans, bitmaps and sorts are what a planner without statistics gets wrong. With one
   * plan possible there is no need to plan again for each value, which would cost as much as
   * reading a thousand rows.
   */
  static final String[] SETTINGS = {
    "enable_seqscan", "off",
    "enable_bitmapscan", "off",
    "enable_sort", "off",
    "enable_incremental_sort", "off",
    "jit", "off",
    "plan_cache_mode", "force_generic_plan"
  };

  static final String INDEX_ORDER_ONLY = Pipeline.local(SETTINGS);

  private static final int LOOK_AHEAD = 10_000;

  /** How many positions the first page looks at beyond the floor when there are late rows. */
  public static final long FIRST_SPAN = 200_000;

  private final Pipeline pipeline;
  private final Sql poll;
  private final Sql late;
  private final Sql page;
  private final Sql others;
  private final Sql look;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   */
  public WindowReader(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    poll = tables.named(WindowSql.POLL);
    late = tables.named(WindowSql.LATE);
    page = tables.named(WindowSql.PAGE);
    others = tables.named(WindowSql.OTHERS);
    look = tables.named(WindowSql.LOOK);
  }

  /**
   * Whether the lane has rows beyond the cursor, in this window or after it, for others than these
   * destinations. Looks at so many rows at most, and answers yes when it has not seen all.
   */
  public boolean hasOthers(LaneState window, long cursor, Collection<String> destinations)
      throws SQLException {
    return pipeline.query(
        others,
        p -> bindLook(p, destinations, window.lane(), Math.max(window.floor(), cursor)),
        rows -> rows.next() && rows.getBoolean(1));
  }

  /**
   * What a look ahead saw.
   *
   * @param others whether there is a row for another destination
   * @param upTo the position of the last row that was looked at
   */
  public record Look(boolean others, long upTo) {}

  /**
   * Looks at the lane's next rows beyond a position, a bounded number of them, in this window or
   * after it.
   */
  public Look look(LaneState window, long after, Collection<String> destinations)
      throws SQLException {
    long from = Math.max(window.floor(), after);
    return pipeline.query(
        look,
        p -> bindLook(p, destinations, window.lane(), from),
        rows -> {
          rows.next();
          return new Look(rows.getBoolean(1), rows.getLong(2));
        });
  }

  private static void bindLook(Parameters p, Collection<String> destinations, int lane, long after)
      throws SQLException {
    p.set("destinations", "text", destinations.toArray())
        .set("lane", lane)
        .set("after", after)
        .set("most", LOOK_AHEAD);
  }

  /**
   * What a poll saw of a lane.
   *
   * @param anything whether a committed row waits that {@code done} does not cover
   * @param position the highest position handed out so far
   */
  public record Poll(boolean anything, long position) {}

  /** Which of the lanes have anything to relay; only reads. For lanes without an open window. */
  public Map<Integer, Poll> poll(Collection<LaneState> lanes) throws SQLException {
    return pipeline.query(
        poll,
        p -> bindPoll(p, lanes),
        rows -> {
          Map<Integer, Poll> polls = new HashMap<>();
          while (rows.next()) {
            polls.put(rows.getInt(1), new Poll(rows.getBoolean(2), rows.getLong(3)));
          }
          return polls;
        });
  }

  /** The same, of one lane. */
  public Poll poll(LaneState lane) throws SQLException {
    return Objects.requireNonNull(poll(List.of(lane)).get(lane.lane()));
  }

  static void bindPoll(Parameters p, Collection<LaneState> lanes) throws SQLException {
    p.set("lanes", "integer", lanes, LaneState::lane)
        .set("done", "text", lanes, LaneState::done)
        .set("floors", "bigint", lanes, LaneState::floor);
  }

  /**
   * The transactions that {@code done} lists as running, that the target sees as finished, and that
   * have rows beyond the cursor. They do not change while the window is open, except that they run
   * dry.
   */
  public List<String> lateTransactions(LaneState window, long cursor) throws SQLException {
    return pipeline.query(
        late,
        p ->
            p.set("done", window.done())
                .set("target", window.target())
                .set("lane", window.lane())
                .set("cursor", cursor),
        rows -> {
          List<String> xids = new ArrayList<>();
          while (rows.next()) {
            xids.add(rows.getString(1));
          }
          return xids;
        });
  }

  /**
   * A row of a page.
   *
   * @param record what to publish
   * @param timeLeft how long until it expires, as the database saw it when the page was read; null
   *     when it never expires, zero or negative when it has expired
   * @param flaw why it cannot be read and so never be published, or null
   */
  public record Row(
      OutboxRecord record, @Nullable Duration timeLeft, Outcome.@Nullable Rejected flaw) {}

  /**
   * Some rows of a window, in position order.
   *
   * @param rows the rows
   * @param upTo there is no further row of the window up to this position
   * @param isLast whether the window has no row beyond them
   */
  public record Page(List<Row> rows, long upTo, boolean isLast) {
    public Page {
      rows = List.copyOf(rows);
    }
  }

  /** The transactions that a snapshot lists as running: the first guess at the late ones. */
  public static List<String> runningAt(String snapshot) {
    return Snapshots.running(snapshot);
  }

  /**
   * How far the first page of a window looks. Rows of late transactions may fill page after page,
   * and each would walk all other rows up to the ceiling to find out that they do not count.
   */
  static long firstUpTo(LaneState window) {
    return runningAt(window.done()).isEmpty()
        ? window.ceiling()
        : Math.min(window.ceiling(), window.floor() + FIRST_SPAN);
  }

  /**
   * The next rows of the open window in position order.
   *
   * @param window the lane with its open window
   * @param late the late transactions, or more: all that {@code done} lists as running
   * @param after only rows beyond this position
   * @param upTo only rows up to this position; the window's ceiling, or less
   * @param rows at most so many rows
   * @param bytes the page ends with the row that reaches so many bytes
   */
  public Page page(LaneState window, List<String> late, long after, long upTo, int rows, long bytes)
      throws SQLException {
    return pipeline.query(
        page,
        p -> bindPage(p, window, late, after, upTo, rows, bytes),
        result -> read(result, window, upTo, rows, bytes));
  }

  static Page read(ResultSet result, LaneState window, long upTo, int rows, long bytes)
      throws SQLException {
    List<Row> page = new ArrayList<>();
    long size = 0;
    while (result.next()) {
      page.add(row(result));
      size += result.getLong("size");
    }
    return page(page, size, window, upTo, rows, bytes);
  }

  /**
   * The first pages of these windows, from an answer that has their rows one lane after another.
   */
  static Map<Integer, Page> readAll(
      ResultSet result, Map<Integer, LaneState> windows, int rows, long bytes) throws SQLException {
    Map<Integer, List<Row>> pages = new HashMap<>();
    Map<Integer, Long> sizes = new HashMap<>();
    while (result.next()) {
      Row row = row(result);
      int lane = row.record().lane();
      pages.computeIfAbsent(lane, l -> new ArrayList<>()).add(row);
      sizes.merge(lane, result.getLong("size"), Long::sum);
    }
    Map<Integer, Page> read = new HashMap<>();
    windows.forEach(
        (lane, window) ->
            read.put(
                lane,
                page(
                    pages.getOrDefault(lane, List.of()),
                    sizes.getOrDefault(lane, 0L),
                    window,
                    firstUpTo(window),
                    rows,
                    bytes)));
    return read;
  }

  private static Row row(ResultSet result) throws SQLException {
    OutboxRows.Read read = OutboxRows.read(result);
    return new Row(read.record(), OutboxRows.timeLeft(result), read.flaw());
  }

  private static Page page(
      List<Row> page, long size, LaneState window, long upTo, int rows, long bytes) {
    if (page.size() == rows || size >= bytes) {
      return new Page(page, page.get(page.size() - 1).record().position(), /* isLast= */ false);
    }
    return new Page(page, upTo, upTo >= window.ceiling());
  }

  static void bindPage(
      Parameters p,
      LaneState window,
      List<String> late,
      long after,
      long upTo,
      int rows,
      long bytes)
      throws SQLException {
    p.set("lane", window.lane())
        .set("after", Math.max(window.floor(), after))
        .set("up_to", upTo)
        .set("xmax", Snapshots.xmax(window.done()))
        .set("target", window.target())
        .set("late", "{" + String.join(",", late) + "}")
        .set("cursor", after)
        .set("rows", rows)
        .set("bytes", bytes);
  }
}
