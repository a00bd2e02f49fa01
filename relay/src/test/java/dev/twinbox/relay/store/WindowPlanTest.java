package dev.twinbox.relay.store;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinbox.postgres.Sql;
import dev.twinbox.relay.OutboxDatabase;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a page and a poll cost, on tables that were never analysed, small and large. */
class WindowPlanTest {
  private static final int ROWS = 1_000;

  /** A function plans inside, which reads the catalog. */
  private static final long FIXED_WITH_CATALOG = 1_500;

  /** Index descents of every leaf, twice, and what planning reads. */
  private static final long FIXED = 400;

  private static final String INSERT_MANY =
      "insert into twinbox.outbox (lane, id, destination, key, type, payload) select 0,"
          + " gen_random_uuid(), 'kafka:test', 'k' || n %% 100, 'test', '\\x00' from"
          + " generate_series(1, %s) n";

  private final OutboxDatabase database = new OutboxDatabase(50_000, 8);
  private final LaneLog log = database.log(Duration.ofSeconds(60));
  private LaneState lane;

  @BeforeEach
  void claim() throws SQLException {
    for (int leaf = 0; leaf < 8; leaf++) {
      database.execute(
          "alter table twinbox.outbox_%s set (autovacuum_enabled = false)".formatted(leaf));
    }
    lane = log.claim(log.read(0).orElseThrow(), "relay").orElseThrow();
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aPageCostsItsOwnRowsAtAnyBacklog() throws Exception {
    pagesCostTheirOwnRows(300_000);
  }

  @Test
  @Tag("long")
  void aPageCostsItsOwnRowsInABacklogOfTenMillion() throws Exception {
    pagesCostTheirOwnRows(10_000_000);
  }

  private void pagesCostTheirOwnRows(int backlog) throws Exception {
    commitMany(backlog);
    lane = log.open(lane).orElseThrow();

    for (long after : new long[] {0, backlog / 2, backlog - 2 * ROWS}) {
      JsonNode plan = explainPage(lane, List.of(), after);
      assertThat(buffers(plan)).as("after %s: %s", after, nodes(plan)).isLessThan(2 * ROWS + FIXED);
      assertThat(nodes(plan)).doesNotContain("Seq Scan", "Bitmap Heap Scan");
    }
    JsonNode end = explainPage(lane, List.of(), backlog);
    assertThat(buffers(end)).as("%s", nodes(end)).isLessThan(FIXED);
  }

  @Test
  void theFirstPageThatComesWithItsWindowCostsItsOwnRows() throws Exception {
    commitMany(300_000);
    lane = log.open(lane).orElseThrow();

    JsonNode plan = explainFirstPage(lane);

    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(2 * ROWS + FIXED);
    assertThat(nodes(plan)).doesNotContain("Seq Scan", "Bitmap Heap Scan");

    JsonNode ofNoWindow = explainFirstPage(withSeq(lane, lane.seq() + 1));
    assertThat(buffers(ofNoWindow)).as("%s", nodes(ofNoWindow)).isLessThan(FIXED);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 5_000})
  void openingSeveralLanesTogetherLooksEachUpByItsKey(int writes) throws Exception {
    LaneState other = log.claim(log.read(1).orElseThrow(), "relay").orElseThrow();
    commitMany(1_000);
    lane = log.settle(log.open(lane).orElseThrow()).orElseThrow();
    for (int write = 0; write < writes; write++) {
      other = log.renew(other).orElseThrow();
    }
    commitMany(300_000);
    if (writes == 0) {
      database.execute("analyze twinbox.outbox_lane_log"); // a table of one page
    }
    LaneState[] lanes = {lane, other};

    JsonNode plan =
        explain(
            inIndexOrder(LaneLogSql.OPEN_ANY),
            p ->
                p.set("lease", 1_000)
                    .set("lanes", "{%s,%s}".formatted(lanes[0].lane(), lanes[1].lane()))
                    .set("seqs", "{%s,%s}".formatted(lanes[0].seq(), lanes[1].seq()))
                    .set("epochs", "{%s,%s}".formatted(lanes[0].epoch(), lanes[1].epoch()))
                    .set("claim_ids", "{%s,%s}".formatted(lanes[0].claimId(), lanes[1].claimId()))
                    .set("windows", "{%s,%s}".formatted(lanes[0].window(), lanes[1].window()))
                    .set("beyond", 1_000_000),
            "insert into");

    assertThat(plan.get("Actual Rows").asDouble()).as("%s", plan).isEqualTo(1);
    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(FIXED);
    assertThat(scans(plan)).doesNotContain("Seq Scan outbox_lane_log");
    assertThat(nodes(plan)).doesNotContain("Bitmap Heap Scan", "Hash Join", "Merge Join", "Sort");
  }

  @Test
  void theFirstPagesOfSeveralLanesCostTheirOwnRows() throws Exception {
    LaneState other = log.claim(log.read(1).orElseThrow(), "relay").orElseThrow();
    commitMany(300_000);
    lane = log.open(lane).orElseThrow();

    JsonNode plan = explainFirstPages(lane.seq(), other.seq());

    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(2 * ROWS + 2 * FIXED);
    assertThat(removed(plan)).isLessThan(10);
    assertThat(nodes(plan)).doesNotContain("Bitmap Heap Scan", "Hash Join", "Merge Join");

    JsonNode ofNoWindow = explainFirstPages(lane.seq() + 1, other.seq() + 1);
    assertThat(buffers(ofNoWindow)).as("%s", nodes(ofNoWindow)).isLessThan(FIXED);
  }

  private JsonNode explainFirstPages(long seq, long otherSeq) throws Exception {
    return explain(
        inIndexOrder(LaneLogSql.FIRST_PAGES),
        p ->
            p.set("lanes", "{0,1}")
                .set("opened", "{%s,%s}".formatted(seq, otherSeq))
                .set("claim_ids", "{%s,%s}".formatted(lane.claimId(), lane.claimId()))
                .set("rows", ROWS)
                .set("bytes", 1L << 30),
        "with w as");
  }

  @Test
  void aPageStaysCheapThoughTheLoadGrewSinceTheLastAnalyze() throws Exception {
    commitMany(100);
    lane = log.settle(log.open(lane).orElseThrow()).orElseThrow();
    database.execute("analyze twinbox.outbox");
    commitMany(300_000);
    lane = log.open(lane).orElseThrow();

    JsonNode plan = explainPage(lane, List.of(), 150_000);

    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(2 * ROWS + FIXED);
    assertThat(nodes(plan)).doesNotContain("Seq Scan", "Bitmap Heap Scan");
  }

  @Test
  void whileATransactionHoldsTheHorizonALanesStateCostsTheSameAfterThousandsOfWrites()
      throws Exception {
    commitMany(10);
    try (Connection holder = database.begin();
        Statement held = holder.createStatement()) {
      holder.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      held.execute("select pg_current_xact_id()");
      lane = log.open(lane).orElseThrow();
      Sql state = Sql.of("select * from twinbox.outbox_lane_state where lane = 0");
      long before = buffers(explain(state, p -> {}, "select *"));
      for (int write = 0; write < 4_000; write++) {
        lane = log.progress(lane, 0, List.of()).orElseThrow();
      }

      assertThat(buffers(explain(state, p -> {}, "select *"))).isLessThan(before + 20);
      assertThat(
              database.number(
                  "select sum(n_tup_upd + n_tup_del) from pg_stat_user_tables where relname like"
                      + " 'outbox\\__' or relname = 'outbox_lane_log'"))
          .isZero();
    }
  }

  @Test
  void aSmallWindowAfterALargeOneDoesNotWalkTheLargeOne() throws Exception {
    commitMany(300_000);
    lane = log.settle(log.open(lane).orElseThrow()).orElseThrow();
    lane = log.refresh(lane).orElseThrow();
    lane = log.settle(log.open(lane).orElseThrow()).orElseThrow();
    commitMany(10);
    lane = log.open(lane).orElseThrow();

    JsonNode plan = explainPage(lane, List.of(), 0);

    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(FIXED);
  }

  @Test
  void rowsThatAreYoungerThanTheWindowAreNotWalked() throws Exception {
    commitMany(10);
    lane = log.open(lane).orElseThrow();
    commitMany(300_000);

    JsonNode plan = explainPage(lane, List.of(), 0);

    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(FIXED);
  }

  @Test
  void thousandsOfTransactionsInProgressKeepAPageCheap() throws Exception {
    commitMany(100_000);
    long xmax = database.number("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint");
    List<String> running =
        LongStream.range(xmax - 5_000, xmax).mapToObj(Long::toString).collect(Collectors.toList());
    lane = log.open(lane).orElseThrow();
    LaneState busy = withDone(lane, running.get(0) + ":" + xmax + ":" + String.join(",", running));

    JsonNode plan = explainPage(busy, running, 0);

    // One descent of one index for each xid and leaf.
    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(5_000L * 8 * 3 + FIXED);
    assertThat(nodes(plan)).doesNotContain("Seq Scan", "Bitmap Heap Scan");
  }

  /** What a look to the ceiling would cost each page: the others are PageSpan's work. */
  @Test
  void aPageOfAHugeLateTransactionWalksNoFartherThanItIsToLook() throws Exception {
    try (Connection huge = database.begin();
        Statement producer = huge.createStatement()) {
      producer.execute("select pg_current_xact_id()");
      database.commitOne(0, "k"); // a younger one has ended: the huge one is listed
      lane = log.settle(log.open(lane).orElseThrow()).orElseThrow();
      producer.execute(INSERT_MANY.formatted(300_000));
      huge.commit();
    }
    lane = log.open(lane).orElseThrow();
    List<String> late = WindowReader.runningAt(lane.done());
    assertThat(late).hasSize(1);

    JsonNode plan = explainPage(lane, late, 100_000, 100_000 + 2 * ROWS);

    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(2 * ROWS + FIXED);
    assertThat(nodes(plan)).doesNotContain("Seq Scan", "Bitmap Heap Scan");
    assertThat(removed(plan)).isLessThanOrEqualTo(2 * ROWS);
    assertThat(removed(explainPage(lane, late, 100_000))).isGreaterThan(150_000);
  }

  @Test
  void aPageBelowTheFloorDoesNotLookBeyondIt() throws Exception {
    try (Connection huge = database.begin();
        Statement producer = huge.createStatement()) {
      producer.execute(INSERT_MANY.formatted(200_000));
      database.commitOne(0, "k");
      lane = log.settle(log.open(lane).orElseThrow()).orElseThrow();
      lane = log.settle(log.open(lane).orElseThrow()).orElseThrow(); // the floor is in its midst
      producer.execute(INSERT_MANY.formatted(200_000));
      huge.commit();
    }
    lane = log.open(lane).orElseThrow();
    List<String> late = WindowReader.runningAt(lane.done());

    JsonNode plan = explainPage(lane, late, 10_000, lane.floor());

    assertThat(lane.floor()).isBetween(200_000L, 201_000L);
    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(2 * ROWS + FIXED);
    assertThat(removed(plan)).isZero();
    assertThat(removed(explainPage(lane, late, 10_000, lane.floor() + 150_000)))
        .as("a page that looks beyond it")
        .isGreaterThan(100_000);
  }

  @Test
  void anIdlePollStaysCheapAfterABurst() throws Exception {
    commitMany(300_000);
    drain();

    JsonNode plan = explainPoll();
    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(FIXED_WITH_CATALOG);
    assertThat(database.reader().poll(lane).anything()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 300, 1_000, 5_000})
  void aPollThatWasPlannedOverFewRowsStaysCheapOverMany(int few) throws Exception {
    commitMany(few);
    lane = log.settle(log.open(lane).orElseThrow()).orElseThrow();
    try (Connection kept = database.database().dataSource().getConnection()) {
      explainPoll(kept);
      commitMany(90_000);
      drain();

      JsonNode plan = explainPoll(kept);

      assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(FIXED_WITH_CATALOG);
    }
  }

  /** They lie beyond the floor, and so would each be looked at before the next lane's. */
  @Test
  void aPollFindsAHugeLateTransactionByItsXid() throws Exception {
    try (Connection huge = database.begin();
        Statement producer = huge.createStatement()) {
      producer.execute("select pg_current_xact_id()");
      database.commitOne(0, "k"); // a younger one has ended: the huge one is listed
      drain();
      producer.execute(INSERT_MANY.formatted(300_000));
      huge.commit();
    }

    JsonNode plan = explainPoll();

    assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(FIXED_WITH_CATALOG);
    assertThat(database.reader().poll(lane).anything()).isTrue();
  }

  @Test
  void aPollDoesNotLookIntoTransactionsThatAWindowHasListedAsRunning() throws Exception {
    try (Connection open = database.begin();
        Statement producer = open.createStatement()) {
      producer.execute(
          "insert into twinbox.outbox (lane, id, destination, type) select 0, gen_random_uuid(),"
              + " 'kafka:test', 'test' from generate_series(1, 100000)");
      database.commitOne(0, "k");
      drain();

      JsonNode plan = explainPoll();
      assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(FIXED_WITH_CATALOG);
    }
  }

  /** As the relay does after many positions: the floor is raised before the window is opened. */
  private void drain() throws SQLException {
    lane = log.refresh(lane).orElseThrow();
    lane = log.settle(log.open(lane).orElseThrow()).orElseThrow();
  }

  private void commitMany(int rows) throws SQLException {
    database.execute(INSERT_MANY.formatted(rows));
  }

  private JsonNode explainPage(LaneState window, List<String> late, long after) throws Exception {
    return explainPage(window, late, after, window.ceiling());
  }

  private JsonNode explainPage(LaneState window, List<String> late, long after, long upTo)
      throws Exception {
    return explain(
        OutboxDatabase.TABLES.named(WindowSql.PAGE),
        p -> WindowReader.bindPage(p, window, late, after, upTo, ROWS, 1L << 30),
        "select p.*");
  }

  /** The first page as it is read together with the opening of its window. */
  private JsonNode explainFirstPage(LaneState window) throws Exception {
    return explain(
        inIndexOrder(LaneLogSql.FIRST_PAGE),
        p ->
            p.set("lane", window.lane())
                .set("opened", window.seq())
                .set("rows", ROWS)
                .set("bytes", 1L << 30),
        "with w as");
  }

  private static Sql inIndexOrder(String sql) {
    return OutboxDatabase.TABLES.named(Pipeline.BEGIN + WindowReader.INDEX_ORDER_ONLY + sql);
  }

  /** What asking for the lane reads, its function's own looks included. */
  private JsonNode explainPoll() throws Exception {
    try (Connection connection = database.database().dataSource().getConnection()) {
      return explainPoll(connection);
    }
  }

  private JsonNode explainPoll(Connection connection) throws Exception {
    return explain(
        connection,
        OutboxDatabase.TABLES.named(Pipeline.BEGIN + WindowSql.POLL),
        p ->
            p.set("lanes", "{%s}".formatted(lane.lane()))
                .set("done", "{\"%s\"}".formatted(lane.done()))
                .set("floors", "{%s}".formatted(lane.floor())),
        "select lane, anything");
  }

  /** Explains the query as the server plans it when it is prepared, which a driver does in time. */
  private JsonNode explain(Sql sql, Sql.Binder binder, String query) throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      return explain(connection, sql, binder, query);
    }
  }

  private static JsonNode explain(Connection connection, Sql named, Sql.Binder binder, String query)
      throws Exception {
    List<String> values = new ArrayList<>();
    named.bind(noting(values), binder);
    String sql = named.text();
    String body = sql.substring(sql.indexOf(query)).replace("; commit", "");
    for (int n = 1; n <= values.size(); n++) {
      body = body.replaceFirst("\\?", "\\$" + n);
    }
    String explained =
        sql.substring(0, sql.indexOf(query))
            + "prepare measured as "
            + body
            + "; explain (analyze, buffers, format json) execute measured"
            + (values.isEmpty() ? "" : "(" + String.join(", ", values) + ")")
            + "; deallocate measured; commit";
    // By the simple protocol, which leaves dollar signs alone.
    try (Statement statement = connection.createStatement()) {
      boolean isRows = statement.execute(explained);
      StringBuilder json = new StringBuilder();
      while (isRows || statement.getUpdateCount() != -1) {
        if (isRows) {
          json.setLength(0);
          try (ResultSet rows = statement.getResultSet()) {
            while (rows.next()) {
              json.append(rows.getString(1));
            }
          }
        }
        isRows = statement.getMoreResults();
      }
      return new ObjectMapper().readTree(json.toString()).get(0).get("Plan");
    }
  }

  private static PreparedStatement noting(List<String> values) {
    return (PreparedStatement)
        Proxy.newProxyInstance(
            WindowPlanTest.class.getClassLoader(),
            new Class<?>[] {PreparedStatement.class},
            (proxy, method, arguments) -> {
              int index = (Integer) arguments[0];
              while (values.size() < index) {
                values.add("null");
              }
              values.set(index - 1, "'" + arguments[1] + "'");
              return null;
            });
  }

  private static long buffers(JsonNode plan) {
    return plan.get("Shared Hit Blocks").asLong() + plan.get("Shared Read Blocks").asLong();
  }

  /** Rows that were looked at for nothing. */
  private static long removed(JsonNode plan) {
    long rows = plan.path("Rows Removed by Filter").asLong() * plan.path("Actual Loops").asLong();
    for (JsonNode child : plan.path("Plans")) {
      rows += removed(child);
    }
    return rows;
  }

  private static List<String> scans(JsonNode plan) {
    List<String> scans = new ArrayList<>();
    if (plan.has("Relation Name")) {
      scans.add(plan.get("Node Type").asText() + " " + plan.get("Relation Name").asText());
    }
    plan.path("Plans").forEach(child -> scans.addAll(scans(child)));
    return scans;
  }

  private static List<String> nodes(JsonNode plan) {
    List<String> types = new ArrayList<>();
    types.add(plan.get("Node Type").asText());
    if (plan.has("Plans")) {
      plan.get("Plans").forEach(child -> types.addAll(nodes(child)));
    }
    return types;
  }

  private static LaneState withSeq(LaneState s, long seq) {
    return new LaneState(
        s.lane(),
        seq,
        s.owner(),
        s.claimId(),
        s.epoch(),
        s.window(),
        s.done(),
        s.target(),
        s.floor(),
        s.nextFloor(),
        s.ceiling(),
        s.cursor(),
        s.ahead());
  }

  private static LaneState withDone(LaneState s, String done) {
    return new LaneState(
        s.lane(),
        s.seq(),
        s.owner(),
        s.claimId(),
        s.epoch(),
        s.window(),
        done,
        s.target(),
        s.floor(),
        s.nextFloor(),
        s.ceiling(),
        s.cursor(),
        s.ahead());
  }
}
