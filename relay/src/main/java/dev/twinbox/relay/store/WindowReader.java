package dev.twinbox.relay.store;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import java.sql.PreparedStatement;
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

  private static final String ROW =
      "o.lane, o.position, o.xid, o.id, o.created_at, o.expires_at, o.destination, o.key, o.type,"
          + " o.content_type, o.headers, o.payload";

  private static final int LOOK_AHEAD = 10_000;

  /** How many positions the first page looks at beyond the floor when there are late rows. */
  public static final long FIRST_SPAN = 200_000;

  private final Pipeline pipeline;
  private final String poll;
  private final String late;
  private final String page;
  private final String others;
  private final String look;

  /**
   * @param pipeline the database
   * @param tables where the tables are
   */
  public WindowReader(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    poll =
        tables.sql(
            "select lane, anything, position from {outbox_waiting}(?, ?::text[]::pg_snapshot[],"
                + " ?)");
    late =
        tables.sql(
            Pipeline.BEGIN
                + INDEX_ORDER_ONLY
                + "select x::text from pg_snapshot_xip(?::pg_snapshot) x where"
                + " pg_visible_in_snapshot(x, ?::pg_snapshot) and (select o.xid from {outbox} o"
                + " where (o.xid, o.lane, o.position) > (x, ?, ?) and (o.xid, o.lane, o.position)"
                + " <= (x, ?, 9223372036854775807) order by o.xid, o.lane, o.position limit 1) is"
                + " not null; commit");
    page =
        tables.sql(
            Pipeline.BEGIN
                + INDEX_ORDER_ONLY
                + page("?", "?", "?::xid8", "?::pg_snapshot", "?::xid8[]", "?")
                + "; commit");
    others =
        tables.sql(
            Pipeline.BEGIN
                + INDEX_ORDER_ONLY
                + "select count(*) filter (where n.destination <> all (?::text[])) > 0 or count(*)"
                + " = ? from (select o.destination from {outbox} o where o.lane = ? and o.position"
                + " > ? order by o.lane, o.position limit ?) n; commit");
    look =
        tables.sql(
            Pipeline.BEGIN
                + INDEX_ORDER_ONLY
                + "select count(*) filter (where n.destination <> all (?::text[])) > 0,"
                + " coalesce(max(n.position), ?) from (select o.destination, o.position from"
                + " {outbox} o where o.lane = ? and o.position > ? order by o.lane, o.position"
                + " limit ?) n; commit");
  }

  /**
   * Whether {@code s}, a lane's state, has anything to relay; as {@code outbox_waiting} looks. Late
   * transactions first: beyond the floor their rows would all be walked.
   */
  static final String ANYTHING =
      "((select late.xid from (select x from pg_snapshot_xip(s.done) x where"
          + " pg_visible_in_snapshot(x, pg_current_snapshot())) x cross join lateral (select o.xid"
          + " from {outbox} o where (o.xid, o.lane, o.position) >= (x, s.lane, 0) and (o.xid,"
          + " o.lane, o.position) <= (x, s.lane, 9223372036854775807) order by o.xid, o.lane,"
          + " o.position limit 1) late limit 1) is not null or (select o.xid from {outbox} o where"
          + " o.lane = s.lane and o.position > s.floor and o.xid >= pg_snapshot_xmax(s.done) order"
          + " by o.lane, o.position limit 1) is not null)";

  /** As {@link #page(String, String, String, String, String, String, String)}, of one lane. */
  static String page(
      String after, String upTo, String xmax, String target, String late, String cursor) {
    return page("?", after, upTo, xmax, target, late, cursor);
  }

  /**
   * The next rows of a window: first by (lane, position), then by (xid, lane, position) for each
   * late xid; each part is ordered and limited by its index, so a page costs its own rows at any
   * backlog. Its own parameters, in order: lane, {@code after}, {@code upTo}, {@code xmax}, {@code
   * target}, rows, {@code late}, {@code target}, lane, {@code cursor}, lane, {@code upTo}, rows,
   * rows, bytes; those that are given as something else than a question mark drop out.
   */
  static String page(
      String lane,
      String after,
      String upTo,
      String xmax,
      String target,
      String late,
      String cursor) {
    return "select p.*, "
        + OutboxRows.SECONDS_LEFT
        + " from (select "
        + OutboxRows.columns("q")
        + ", q.size, sum(q.size) over (order by q.position rows unbounded preceding) as"
        + " total from (select u.*, "
        + OutboxRows.size("u")
        + " as size from ((select "
        + ROW
        + " from {outbox} o where o.lane = "
        + lane
        + " and o.position > "
        + after
        + " and o.position <= "
        + upTo
        + " and o.xid >= "
        + xmax
        + " and pg_visible_in_snapshot(o.xid, "
        + target
        + ") order by o.lane, o.position limit ?) union all (select r.* from (select x from unnest("
        + late
        + ") x where pg_visible_in_snapshot(x, "
        + target
        + ")) late cross join lateral (select "
        + ROW
        + " from {outbox} o where (o.xid, o.lane, o.position) > (x, "
        + lane
        + ", "
        + cursor
        + ") and (o.xid, o.lane, o.position) <= (x, "
        + lane
        + ", "
        + upTo
        + ") order by o.xid, o.lane, o.position limit ?) r)) u order by u.position limit ?) q) p"
        + " where p.total - p.size < ? order by p.position";
  }

  /**
   * Whether the lane has rows beyond the cursor, in this window or after it, for others than these
   * destinations. Looks at so many rows at most, and answers yes when it has not seen all.
   */
  public boolean hasOthers(LaneState window, long cursor, Collection<String> destinations)
      throws SQLException {
    return pipeline.query(
        others,
        s -> {
          s.setArray(1, s.getConnection().createArrayOf("text", destinations.toArray()));
          s.setInt(2, LOOK_AHEAD);
          s.setInt(3, window.lane());
          s.setLong(4, Math.max(window.floor(), cursor));
          s.setInt(5, LOOK_AHEAD);
        },
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
        s -> {
          s.setArray(1, s.getConnection().createArrayOf("text", destinations.toArray()));
          s.setLong(2, from);
          s.setInt(3, window.lane());
          s.setLong(4, from);
          s.setInt(5, LOOK_AHEAD);
        },
        rows -> {
          rows.next();
          return new Look(rows.getBoolean(1), rows.getLong(2));
        });
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
        s -> bindPoll(s, lanes),
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

  static void bindPoll(PreparedStatement s, Collection<LaneState> lanes) throws SQLException {
    Object[] numbers = lanes.stream().map(LaneState::lane).toArray();
    Object[] done = lanes.stream().map(LaneState::done).toArray();
    Object[] floors = lanes.stream().map(LaneState::floor).toArray();
    s.setArray(1, s.getConnection().createArrayOf("integer", numbers));
    s.setArray(2, s.getConnection().createArrayOf("text", done));
    s.setArray(3, s.getConnection().createArrayOf("bigint", floors));
  }

  /** For a look at what it costs. */
  String pollSql() {
    return poll;
  }

  /** For a look at the plan. */
  String pageSql() {
    return page;
  }

  /**
   * The transactions that {@code done} lists as running, that the target sees as finished, and that
   * have rows beyond the cursor. They do not change while the window is open, except that they run
   * dry.
   */
  public List<String> lateTransactions(LaneState window, long cursor) throws SQLException {
    return pipeline.query(
        late,
        s -> {
          s.setString(1, window.done());
          s.setString(2, window.target());
          s.setInt(3, window.lane());
          s.setLong(4, cursor);
          s.setInt(5, window.lane());
        },
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
        s -> bindPage(s, window, late, after, upTo, rows, bytes),
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
      PreparedStatement s,
      LaneState window,
      List<String> late,
      long after,
      long upTo,
      int rows,
      long bytes)
      throws SQLException {
    s.setInt(1, window.lane());
    s.setLong(2, Math.max(window.floor(), after));
    s.setLong(3, upTo);
    s.setString(4, Snapshots.xmax(window.done()));
    s.setString(5, window.target());
    s.setInt(6, rows);
    s.setString(7, "{" + String.join(",", late) + "}");
    s.setString(8, window.target());
    s.setInt(9, window.lane());
    s.setLong(10, after);
    s.setInt(11, window.lane());
    s.setLong(12, upTo);
    s.setInt(13, rows);
    s.setInt(14, rows);
    s.setLong(15, bytes);
  }
}
