package dev.twinbox.relay.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.OutboxDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What promotion costs, and what it does beside cancellations and late commits. */
class ScheduledTest {
  /** Descents of the indexes, and what planning reads. */
  private static final long FIXED = 60;

  private final OutboxDatabase database = new OutboxDatabase(50_000, 8);
  private final Scheduled scheduled = new Scheduled(database.pipeline(), OutboxDatabase.TABLES);
  private final Outbox outbox = Outbox.builder().source("/test").build();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aHundredThousandThatWaitCostAPollNothing() throws Exception {
    pollsBeside(100_000);
  }

  @Test
  @Tag("long")
  void aMillionThatWaitCostAPollNothing() throws Exception {
    pollsBeside(1_000_000);
  }

  private void pollsBeside(int waiting) throws Exception {
    database.execute("alter table twinbox.outbox_scheduled set (autovacuum_enabled = false)");
    schedule(waiting, "clock_timestamp() + interval '1 day' + n * interval '1 millisecond'");

    JsonNode idle = explain();
    schedule(10, "clock_timestamp()");
    JsonNode busy = explain();

    assertThat(buffers(idle)).as("%s", nodes(idle)).isLessThan(FIXED);
    assertThat(nodes(idle)).doesNotContain("Seq Scan", "Bitmap Heap Scan");
    assertThat(buffers(busy)).as("%s", nodes(busy)).isLessThan(10 * 40 + FIXED);
    assertThat(database.number("select count(*) from twinbox.outbox")).isEqualTo(10);
    assertThat(scheduled.untilNext()).get().extracting(Duration::toHours).isEqualTo(23L);
    assertThat(scheduled.untilNextToPromote()).get().extracting(Duration::toHours).isEqualTo(23L);
    System.out.printf(
        Locale.ROOT,
        "%,d waiting: a poll reads %s buffers in %.2f ms%n",
        waiting,
        buffers(idle),
        idle.get("Actual Total Time").asDouble());
  }

  @Test
  void whatHasGoneCostsLittleWhileATransactionKeepsItFromBeingForgotten() throws Exception {
    try (Connection holder = database.begin();
        Statement held = holder.createStatement()) {
      holder.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      held.execute("select pg_current_xact_id()");
      schedule(30_000, "clock_timestamp() - interval '1 hour' + n * interval '1 millisecond'");
      assertThat(promoteAll()).isEqualTo(30_000);
      scheduled.promote(1_000); // walks them all, and so is not done again at once

      scheduled.promote(1_000);
      JsonNode plan = explain();

      assertThat(buffers(plan)).as("%s", nodes(plan)).isLessThan(FIXED);
      // Committed an hour late, far behind where the polls look by now.
      schedule(1, "clock_timestamp() - interval '1 hour'");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> scheduled.promote(1_000).moved() == 1 || count("outbox") == 30_001);
    }
  }

  @Test
  void aHundredThousandOfOneDueTimeAreMovedInTheirOrderAndEachOnce() throws Exception {
    schedule(20_000, "'2026-01-01T00:00:00Z'::timestamptz");

    assertThat(promoteAll()).isEqualTo(20_000);

    assertThat(
            database.number(
                "select count(*) from (select type::int as n, lag(type::int) over (order by"
                    + " position) as former from twinbox.outbox) o where former > n"))
        .isZero();
    assertThat(database.number("select count(distinct id) from twinbox.outbox")).isEqualTo(20_000);
  }

  @Test
  void aCancellationThatRollsBackKeepsTheOrderOfItsKey() throws Exception {
    UUID first = scheduleOne("k", "1 hour");
    UUID second = scheduleOne("k", "50 minutes");
    UUID other = scheduleOne("other", "40 minutes");
    try (Connection canceller = database.begin()) {
      assertThat(outbox.cancel(canceller, first)).isTrue();

      assertThat(promoteAll()).isEqualTo(1);
      assertThat(promoted()).containsExactly(other);

      canceller.rollback();
    }
    assertThat(promoteAll()).isEqualTo(2);
    assertThat(promoted()).containsExactly(other, first, second);
  }

  @Test
  void aCancellationThatCommitsTakesTheMessageOutAndLetsItsKeyGoOn() throws Exception {
    UUID first = scheduleOne("k", "1 hour");
    UUID second = scheduleOne("k", "50 minutes");
    try (Connection canceller = database.begin()) {
      assertThat(outbox.cancel(canceller, first)).isTrue();
      assertThat(promoteAll()).isZero();
      canceller.commit();
    }
    await().until(() -> promoteAll() == 1);
    assertThat(promoted()).containsExactly(second);
    assertThat(count("outbox_scheduled")).isZero();
  }

  @Test
  void aCancellationWaitsForThePromotionUnderWayAndHearsThatItWasTooLate() throws Exception {
    UUID id = scheduleOne("k", "1 hour");
    try (Connection promoting = database.dataSource().getConnection();
        Connection canceller = database.begin()) {
      try (PreparedStatement statement =
          promoting.prepareStatement(scheduled.promoteSql().replace("; commit", ""))) {
        scheduled.bindPromote(statement, 10);
        statement.execute();
      }
      CompletableFuture<Boolean> cancelled =
          CompletableFuture.supplyAsync(() -> outbox.cancel(canceller, id));
      await()
          .until(
              () ->
                  database.number(
                          "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and"
                              + " query like '%outbox_cancel%' and datname = current_database()")
                      == 1);
      try (Statement end = promoting.createStatement()) {
        end.execute("commit");
      }
      assertThat(cancelled.get(30, TimeUnit.SECONDS)).isFalse();
    }
    assertThat(promoted()).containsExactly(id);
  }

  @Test
  void ofPromotionAndCancellationAtOnceExactlyOneWins() throws Exception {
    List<UUID> ids = new ArrayList<>();
    schedule(2_000, "clock_timestamp() + n * interval '1 millisecond'");
    try (Connection connection = database.begin();
        ResultSet rows =
            connection
                .createStatement()
                .executeQuery("select id from twinbox.outbox_scheduled order by due_at, number")) {
      while (rows.next()) {
        ids.add(rows.getObject(1, UUID.class));
      }
    }
    Set<UUID> cancelled = ConcurrentHashMap.newKeySet();
    // One runs ahead of the promotion, or behind it; the other meets it.
    List<UUID> backwards = new ArrayList<>(ids);
    Collections.reverse(backwards);
    CompletableFuture<Void> cancelling =
        CompletableFuture.allOf(
            CompletableFuture.runAsync(() -> cancel(ids, cancelled)),
            CompletableFuture.runAsync(() -> cancel(backwards, cancelled)));
    while (!cancelling.isDone() || count("outbox_scheduled") > 0) {
      scheduled.promote(50);
    }
    cancelling.join();

    List<UUID> promoted = promoted();
    assertThat(promoted).doesNotContainAnyElementsOf(cancelled);
    assertThat(promoted.size() + cancelled.size()).isEqualTo(2_000);
    assertThat(cancelled).isNotEmpty();
    assertThat(promoted).isNotEmpty();
  }

  private void cancel(List<UUID> ids, Set<UUID> cancelled) {
    try (Connection connection = database.begin()) {
      for (UUID id : ids) {
        if (outbox.cancel(connection, id)) {
          assertThat(cancelled.add(id)).isTrue();
        }
        connection.commit();
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private int promoteAll() throws SQLException {
    int all = 0;
    Scheduled.Promoted done;
    do {
      done = scheduled.promote(1_000);
      all += done.moved();
    } while (done.more());
    return all;
  }

  private void schedule(int messages, String dueAt) throws SQLException {
    database.execute(
        ("insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, key, type)"
                + " select %s, gen_random_uuid(), 'kafka', 0, 'kafka:test', 'k' || n %% 100, n"
                + " from generate_series(1, %s) n")
            .formatted(dueAt, messages));
  }

  private UUID scheduleOne(String key, String ago) throws SQLException {
    UUID id = UUID.randomUUID();
    database.execute(
        ("insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, key, type)"
                + " values (clock_timestamp() - interval '%s', '%s', 'kafka', 0, 'kafka:test',"
                + " '%s', 't')")
            .formatted(ago, id, key));
    return id;
  }

  private List<UUID> promoted() throws SQLException {
    try (Connection connection = database.begin();
        ResultSet rows =
            connection
                .createStatement()
                .executeQuery("select id from twinbox.outbox order by position")) {
      List<UUID> ids = new ArrayList<>();
      while (rows.next()) {
        ids.add(rows.getObject(1, UUID.class));
      }
      return ids;
    }
  }

  private long count(String table) throws SQLException {
    return database.number("select count(*) from twinbox." + table);
  }

  private JsonNode explain() throws Exception {
    String sql = scheduled.promoteSql();
    String json =
        database
            .pipeline()
            .query(
                sql.replace("with gate as", "explain (analyze, buffers, format json) with gate as"),
                s -> scheduled.bindPromote(s, 1_000),
                rows -> {
                  StringBuilder text = new StringBuilder();
                  while (rows.next()) {
                    text.append(rows.getString(1));
                  }
                  return text.toString();
                });
    return new ObjectMapper().readTree(json).get(0).get("Plan");
  }

  private static long buffers(JsonNode plan) {
    return plan.get("Shared Hit Blocks").asLong() + plan.get("Shared Read Blocks").asLong();
  }

  private static List<String> nodes(JsonNode plan) {
    List<String> types = new ArrayList<>();
    types.add(plan.get("Node Type").asText());
    if (plan.has("Plans")) {
      plan.get("Plans").forEach(child -> types.addAll(nodes(child)));
    }
    return types;
  }
}
