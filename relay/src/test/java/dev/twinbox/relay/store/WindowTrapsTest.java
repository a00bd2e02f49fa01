package dev.twinbox.relay.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.OutboxDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WindowTrapsTest {
  private static final Duration LEASE = Duration.ofSeconds(30);

  private final OutboxDatabase database = new OutboxDatabase(100, 4);
  private final LaneLog log = database.log(LEASE);
  private final WindowReader reader = database.reader();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private LaneState lane;

  @BeforeEach
  void claim() throws SQLException {
    lane = log.claim(log.read(0).orElseThrow(), "relay-1").orElseThrow();
  }

  @AfterEach
  void close() {
    threads.shutdownNow();
    database.close();
  }

  @Test
  void pagesThatLookAFewPositionsAheadMissNothingAndRepeatNothing() throws SQLException {
    List<UUID> all = new ArrayList<>();
    try (Connection late = database.begin();
        Connection other = database.begin()) {
      drawXid(late);
      all.add(database.insert(late, 0, "a"));
      UUID before = database.commitOne(0, "b");
      assertThat(drainWindow()).containsExactly(before);
      for (int i = 0; i < 20; i++) {
        all.add(database.insert(late, 0, "a"));
        database.commitOne(1, "c");
        if (i % 3 == 0) {
          all.add(database.commitOne(0, "b"));
        }
        database.insert(other, 0, "d"); // in no window yet
      }
      late.commit();
      lane = log.open(lane).orElseThrow();
      assertThat(WindowReader.runningAt(lane.done())).isNotEmpty();

      for (long span : new long[] {1, 2, 5, 1_000}) {
        assertThat(read(span)).as("%d at a time", span).containsExactlyElementsOf(all);
      }
    }
  }

  @Test
  void theFirstMessageOnAVirginSequenceIsRead() throws SQLException {
    UUID first = database.commitOne(0, "k");

    assertThat(drainWindow()).containsExactly(first);
  }

  @Test
  void aRowBelowTheHighestPositionReadComesInTheNextWindow() throws SQLException {
    try (Connection early = database.begin();
        Connection late = database.begin()) {
      drawXid(early);
      UUID waiting = database.insert(late, 0, "a");
      UUID committed = database.insert(early, 0, "b");
      early.commit();
      // late has the lower position, the higher xid, and is at or above the target's xmax:
      // unlisted.
      assertThat(drainWindow()).containsExactly(committed);

      late.commit();

      assertThat(drainWindow()).containsExactly(waiting);
    }
  }

  @Test
  void thePositionIsReadBeforeTheSettlingTransactionHasAnXid() throws Exception {
    UUID first = database.commitOne(0, "k");
    lane = log.open(lane).orElseThrow();
    assertThat(read()).containsExactly(first);
    try (Connection rival = database.begin();
        Connection producer = database.begin()) {
      appendUncommitted(rival, lane.seq() + 1);
      CompletableFuture<LaneState> settling = async(() -> log.settle(lane).orElseThrow());
      awaitSomebodyWaits();
      // The settling transaction has its xid and waits. This row is younger than it.
      UUID younger = database.insert(producer, 0, "k");
      rival.rollback();
      lane = settling.join();

      assertThat(drainWindow()).isEmpty();
      producer.commit();
      assertThat(drainWindow()).containsExactly(younger);
    }
  }

  @Test
  void thePositionIsReadBeforeTheClaimingTransactionHasAnXid() throws Exception {
    LaneState other = log.read(1).orElseThrow();
    try (Connection rival = database.begin();
        Connection producer = database.begin()) {
      appendUncommitted(rival, 1, other.seq() + 1);
      CompletableFuture<LaneState> claiming =
          async(() -> log.claim(other, "relay-1").orElseThrow());
      awaitSomebodyWaits();
      UUID younger = database.insert(producer, 1, "k");
      rival.rollback();
      lane = claiming.join();

      assertThat(drainWindow()).isEmpty();
      producer.commit();
      assertThat(drainWindow()).containsExactly(younger);
    }
  }

  @Test
  void thePositionIsReadWhileTheTransactionHasNoXid() throws SQLException {
    boolean hasXid =
        database
            .pipeline()
            .query(
                OutboxDatabase.TABLES.sql(
                    Pipeline.BEGIN
                        + LaneLogSql.READ_POSITION
                        + "select pg_current_xact_id_if_assigned() is not null; commit"),
                s -> {},
                rows -> rows.next() && rows.getBoolean(1));

    assertThat(hasXid).isFalse();
  }

  @Test
  void aSecondSettleChangesNothing() throws SQLException {
    UUID first = database.commitOne(0, "k");
    LaneState open = log.open(lane).orElseThrow();
    lane = log.settle(open).orElseThrow();

    assertThat(log.settle(open)).isEmpty();
    assertThat(log.settle(lane)).isEmpty();
    assertThat(log.read(0)).contains(lane);
    assertThat(first).isNotNull();
  }

  @Test
  void aClaimKeepsTheFloorOfAnOpenWindow() throws SQLException {
    UUID committed;
    UUID waiting;
    try (Connection early = database.begin();
        Connection late = database.begin()) {
      drawXid(early);
      waiting = database.insert(late, 0, "a");
      committed = database.insert(early, 0, "b");
      early.commit();
      lane = log.open(lane).orElseThrow();

      lane = takeOver(lane).orElseThrow();

      assertThat(read()).containsExactly(committed);
      lane = log.settle(lane).orElseThrow();
      late.commit();
    }
    assertThat(drainWindow()).containsExactly(waiting);
  }

  @Test
  void aClaimWithoutAnOpenWindowRaisesTheNextFloor() throws SQLException {
    database.commitOne(0, "k");
    long before = lane.nextFloor();

    lane = log.claim(lane, "relay-1").orElseThrow();

    assertThat(before).isZero();
    assertThat(lane.nextFloor()).isEqualTo(1);
    assertThat(lane.floor()).isZero();
  }

  @Test
  void aSetTargetIsContinuedAndNeverReplaced() throws SQLException {
    UUID inWindow = database.commitOne(0, "k");
    LaneState open = log.open(lane).orElseThrow();
    UUID after = database.commitOne(0, "k");

    assertThat(log.open(open)).isEmpty();
    LaneState takenOver = takeOver(open).orElseThrow();
    assertThat(log.open(takenOver)).isEmpty();

    lane = takenOver;
    assertThat(lane.target()).isEqualTo(open.target());
    assertThat(read()).containsExactly(inWindow);
    lane = log.settle(lane).orElseThrow();
    assertThat(drainWindow()).containsExactly(after);
  }

  @Test
  void aTakeoverContinuesFromTheCursorAndKnowsWhatIsAhead() throws SQLException {
    database.commitOne(0, "k");
    lane = log.open(lane).orElseThrow();
    lane = log.progress(lane, 1, List.of(3L, 7L)).orElseThrow();

    LaneState takenOver = takeOver(lane).orElseThrow();

    assertThat(takenOver.cursor()).isEqualTo(1);
    assertThat(takenOver.ahead()).containsExactly(3L, 7L);
    assertThat(takenOver.epoch()).isEqualTo(lane.epoch() + 1);
  }

  @Test
  void aLateWriteOfAnEarlierWindowHitsNothing() throws SQLException {
    database.commitOne(0, "k");
    LaneState firstWindow = log.open(lane).orElseThrow();
    LaneState settled = log.settle(firstWindow).orElseThrow();
    database.commitOne(0, "k");
    LaneState secondWindow = log.open(settled).orElseThrow();

    assertThat(log.progress(firstWindow, 1, List.of())).isEmpty();
    assertThat(log.settle(firstWindow)).isEmpty();
    assertThat(log.renew(firstWindow)).isEmpty();
    assertThat(log.release(firstWindow, 1, List.of())).isEmpty();
    assertThat(log.read(0)).contains(secondWindow);
  }

  @Test
  void aStaleOwnerWritesNothing() throws SQLException {
    LaneState stale = lane;
    LaneState taken = takeOver(lane).orElseThrow();

    assertThat(log.open(stale)).isEmpty();
    assertThat(log.renew(stale)).isEmpty();
    assertThat(log.claim(stale, "relay-1")).isEmpty();
    assertThat(log.read(0)).contains(taken);
  }

  @Test
  void aHeldLaneCannotBeClaimed() throws SQLException {
    assertThat(log.claim(lane, "relay-2")).isEmpty();
  }

  @Test
  void rowsThatWereEnqueuedBeforeTheirLaneExistedAreRead() throws SQLException {
    UUID early = database.commitOne(8, "k");
    moveOnToLeaf(1);
    assertThat(database.rotation().rotate()).isEmpty();

    new Lanes(database.pipeline(), OutboxDatabase.TABLES).register("kafka@late");

    lane = log.claim(log.read(8).orElseThrow(), "relay-1").orElseThrow();
    assertThat(drainWindow()).containsExactly(early);
    assertThat(database.rotation().rotate()).containsExactly("outbox_0");
  }

  @Test
  void explicitDefaultsInAnotherOrderStillDrawTheXidFirst() throws Exception {
    try (Connection gate = database.begin();
        Statement gateKeeper = gate.createStatement()) {
      gateKeeper.execute("select pg_advisory_xact_lock(42)");
      CompletableFuture<Boolean> inserting =
          async(
              () -> {
                database.execute(
                    "insert into twinbox.outbox (position, lane, xid, id, destination, type) values"
                        + " (default, (select 0 from pg_advisory_xact_lock(42)), default,"
                        + " gen_random_uuid(), 'kafka:test', 'test'), (default, 0, default,"
                        + " gen_random_uuid(), 'kafka:test', 'test')");
                return true;
              });
      awaitSomebodyWaits();
      assertThat(
              database.number(
                  "select count(*) from pg_stat_activity where datname = current_database() and"
                      + " wait_event = 'advisory' and backend_xid is not null"))
          .isEqualTo(1);
      // Whatever is settled now must not raise the floor above that insert's positions.
      database.commitOne(0, "k");
      assertThat(drainWindow()).hasSize(1);
      gate.rollback();
      inserting.join();
    }
    assertThat(drainWindow()).hasSize(2);
  }

  @Test
  void aLeafWithAnUnrelayedRowIsNotEmptied() throws SQLException {
    UUID first = database.commitOne(0, "k");
    moveOnToLeaf(1);
    assertThat(database.rotation().rotate()).isEmpty();

    assertThat(drainWindow()).containsExactly(first);

    assertThat(database.rotation().rotate()).containsExactly("outbox_0");
    assertThat(database.number("select count(*) from twinbox.outbox")).isZero();
  }

  /** A relay notices within a second and stops; no row may be gone by then. */
  @Test
  void aRowThatASequenceWhichWasSetBackHidesBelowTheFloorIsNotEmptied() throws SQLException {
    moveOnToLeaf(2);
    UUID relayed = database.commitOne(0, "k");
    assertThat(drainWindow()).containsExactly(relayed);
    assertThat(drainWindow()).isEmpty();
    assertThat(lane.floor()).isGreaterThan(200);

    database.execute("select setval('twinbox.outbox_position', 98)");
    database.commitOne(0, "k"); // the last one of the first leaf

    assertThat(database.rotation().rotate()).isEmpty();
    assertThat(database.number("select count(*) from twinbox.outbox_0")).isEqualTo(1);
  }

  @Test
  void aLeafIsTestedAnewAlthoughTheRoleDefaultsToRepeatableRead() throws Exception {
    database.execute(
        "alter database "
            + database.database().name()
            + " set default_transaction_isolation = 'repeatable read'");
    UUID relayed = database.commitOne(0, "k");
    assertThat(drainWindow()).containsExactly(relayed);
    moveOnToLeaf(1);
    try (OutboxDatabase fresh = database.reconnected();
        Connection blocker = database.begin();
        Connection producer = database.begin();
        Statement blocking = blocker.createStatement()) {
      // Holds the rotation between its first statement and its first look at the rows.
      blocking.execute("lock table twinbox.outbox_lane_log in access exclusive mode");
      CompletableFuture<List<String>> rotating = async(() -> fresh.rotation().rotate());
      awaitSomebodyWaits();
      database.insertAt(producer, 0, 2);
      producer.commit();
      blocker.rollback();

      assertThat(rotating.join()).isEmpty();
    }
    assertThat(drainWindow()).hasSize(1);
  }

  @Test
  void aLeafThatATransactionStillHoldsIsSkipped() throws SQLException {
    UUID relayed = database.commitOne(0, "k");
    assertThat(drainWindow()).containsExactly(relayed);
    try (Connection writer = database.begin()) {
      UUID open = database.insert(writer, 0, "k");
      moveOnToLeaf(1);
      assertThat(database.rotation().rotate()).isEmpty();
      writer.commit();
      assertThat(drainWindow()).containsExactly(open);
    }
    assertThat(database.rotation().rotate()).containsExactly("outbox_0");
  }

  @Test
  void aRolledBackTransactionIsNeverRead() throws SQLException {
    try (Connection producer = database.begin()) {
      database.insert(producer, 0, "k");
      producer.rollback();
    }
    assertThat(reader.poll(lane).anything()).isFalse();
    assertThat(drainWindow()).isEmpty();
  }

  @Test
  void aPollSeesLateAndNewTransactionsAndNothingElse() throws SQLException {
    try (Connection producer = database.begin()) {
      UUID waiting = database.insert(producer, 0, "k");
      database.commitOne(0, "k");
      assertThat(drainWindow()).hasSize(1);
      assertThat(reader.poll(lane).anything()).isFalse();

      producer.commit();

      assertThat(reader.poll(lane).anything()).isTrue();
      assertThat(drainWindow()).containsExactly(waiting);
      assertThat(reader.poll(lane).anything()).isFalse();
    }
  }

  @Test
  void aTurnOpensTheNextWindowWithItsFirstPageAndNoWindowWhereNothingWaits() throws SQLException {
    assertThat(log.openIfAny(lane, 10, Long.MAX_VALUE)).isEmpty();
    assertThat(log.read(0)).contains(lane);
    try (Connection producer = database.begin()) {
      UUID late = database.insert(producer, 0, "k");
      UUID first = database.commitOne(0, "k");
      LaneLog.Opened one = log.openIfAny(lane, 10, Long.MAX_VALUE).orElseThrow();
      assertThat(ids(one.page())).containsExactly(first);
      UUID next = database.commitOne(0, "k");
      producer.commit();

      LaneLog.Turn turn = log.settleAndOpen(one.state(), 10, Long.MAX_VALUE);

      LaneLog.Opened two = turn.opened().orElseThrow();
      assertThat(two.page().isLast()).isTrue();
      assertThat(ids(two.page())).containsExactly(late, next);
      LaneLog.Turn last = log.settleAndOpen(two.state(), 10, Long.MAX_VALUE);
      assertThat(last.opened()).isEmpty();
      lane = last.settled().orElseThrow();
      assertThat(log.read(0)).contains(lane);
    }
    assertThat(drainWindow()).isEmpty();
  }

  @Test
  void theFirstPageOfATurnEndsWhereItIsFullAndTheNextOneGoesOn() throws SQLException {
    List<UUID> all = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      all.add(database.commitOne(0, "k"));
    }

    LaneLog.Opened opened = log.openIfAny(lane, 2, Long.MAX_VALUE).orElseThrow();

    assertThat(opened.page().isLast()).isFalse();
    assertThat(ids(opened.page())).containsExactlyElementsOf(all.subList(0, 2));
    long after = opened.page().rows().get(1).record().position();
    LaneState window = opened.state();
    assertThat(ids(reader.page(window, List.of(), after, window.ceiling(), 10, Long.MAX_VALUE)))
        .containsExactlyElementsOf(all.subList(2, 5));
  }

  @Test
  void theFirstPageBesideALateTransactionEndsWhereItWasToLookAndTheNextOneGoesOn()
      throws SQLException {
    try (Connection late = database.begin()) {
      UUID below = database.insert(late, 0, "a");
      UUID before = database.commitOne(0, "b");
      assertThat(drainWindow()).containsExactly(before);
      UUID near = database.commitOne(0, "b");
      long beyond = lane.nextFloor() + 2 * WindowReader.FIRST_SPAN;
      database.execute("select setval('twinbox.outbox_position', %d)".formatted(beyond));
      UUID far = database.commitOne(0, "b");
      late.commit();

      LaneLog.Opened opened = log.openIfAny(lane, 10, Long.MAX_VALUE).orElseThrow();

      LaneState window = opened.state();
      assertThat(ids(opened.page())).containsExactly(below, near);
      assertThat(opened.page().isLast()).isFalse();
      long upTo = opened.page().upTo();
      assertThat(upTo).isEqualTo(window.floor() + WindowReader.FIRST_SPAN);
      List<String> running = WindowReader.runningAt(window.done());
      WindowReader.Page rest =
          reader.page(window, running, upTo, window.ceiling(), 10, Long.MAX_VALUE);
      assertThat(ids(rest)).containsExactly(far);
      assertThat(rest.isLast()).isTrue();
    }
  }

  @Test
  void aTurnOfALaneThatWasLostSettlesAndOpensNothing() throws SQLException {
    database.commitOne(0, "k");
    LaneState open = log.open(lane).orElseThrow();
    database.commitOne(0, "k");
    LaneState stolen = takeOver(open).orElseThrow();

    LaneLog.Turn turn = log.settleAndOpen(open, 10, Long.MAX_VALUE);

    assertThat(turn.settled()).isEmpty();
    assertThat(turn.opened()).isEmpty();
    assertThat(log.openIfAny(open, 10, Long.MAX_VALUE)).isEmpty();
    assertThat(log.read(0)).contains(stolen);
  }

  @Test
  void aTurnReadsThePositionBeforeItsSettlingTransactionHasAnXid() throws Exception {
    database.commitOne(0, "k");
    lane = log.open(lane).orElseThrow();
    try (Connection rival = database.begin();
        Connection producer = database.begin()) {
      appendUncommitted(rival, lane.seq() + 1);
      CompletableFuture<LaneLog.Turn> turning =
          async(() -> log.settleAndOpen(lane, 10, Long.MAX_VALUE));
      awaitSomebodyWaits();
      UUID younger = database.insert(producer, 0, "k");
      rival.rollback();
      assertThat(turning.join().opened()).isEmpty();
      lane = turning.join().settled().orElseThrow();

      assertThat(drainWindow()).isEmpty();
      producer.commit();
      assertThat(drainWindow()).containsExactly(younger);
    }
  }

  @Test
  void severalLanesWindowsAreOpenedTogetherEachWithItsOwnFirstPage() throws SQLException {
    LaneState empty = log.claim(log.read(1).orElseThrow(), "relay-1").orElseThrow();
    LaneState other = log.claim(log.read(2).orElseThrow(), "relay-1").orElseThrow();
    LaneState lost = log.claim(log.read(3).orElseThrow(), "relay-1").orElseThrow();
    assertThat(log.renew(lost)).isPresent();
    List<UUID> ofLane = new ArrayList<>();
    List<UUID> ofOther = new ArrayList<>();
    try (Connection late = database.begin()) {
      ofLane.add(database.insert(late, 0, "k"));
      database.commitOne(0, "k");
      assertThat(drainWindow()).hasSize(1);
      for (int i = 0; i < 3; i++) {
        ofOther.add(database.commitOne(2, "k"));
        ofLane.add(database.commitOne(0, "k"));
        database.commitOne(3, "k");
      }
      late.commit();
    }

    LaneLog.Openings openings =
        log.openAny(List.of(lane, empty, other, lost), 1_000, 3, Long.MAX_VALUE);

    assertThat(openings.windows()).containsOnlyKeys(0, 2);
    assertThat(openings.position()).isEqualTo(11);
    LaneLog.Opened first = Objects.requireNonNull(openings.windows().get(0));
    LaneLog.Opened second = Objects.requireNonNull(openings.windows().get(2));
    assertThat(ids(first.page())).containsExactlyElementsOf(ofLane.subList(0, 3));
    assertThat(first.page().isLast()).isFalse();
    assertThat(ids(second.page())).containsExactlyElementsOf(ofOther);
    assertThat(first.state().target()).isEqualTo(second.state().target());
    assertThat(log.read(0)).contains(first.state());
    assertThat(log.read(1)).contains(empty);
    assertThat(log.read(2)).contains(second.state());
    lane = first.state();
    assertThat(read()).containsExactlyElementsOf(ofLane);
    lane = log.settle(lane).orElseThrow();
    assertThat(drainWindow()).isEmpty();
  }

  @Test
  void aPageThatEndsByItsBytesDoesNotEndTheOtherLanesPage() throws SQLException {
    LaneState other = log.claim(log.read(1).orElseThrow(), "relay-1").orElseThrow();
    UUID only = database.commitOne(0, "k");
    for (int i = 0; i < 3; i++) {
      database.commitOne(1, "k");
    }

    LaneLog.Openings openings = log.openAny(List.of(lane, other), 1_000, 10, 2 * 256);

    LaneLog.Opened small = Objects.requireNonNull(openings.windows().get(0));
    LaneLog.Opened large = Objects.requireNonNull(openings.windows().get(1));
    assertThat(ids(small.page())).containsExactly(only);
    assertThat(small.page().isLast()).isTrue();
    assertThat(large.page().rows()).hasSize(2);
    assertThat(large.page().isLast()).isFalse();
  }

  @Test
  void aLaneThatIsFarBackIsNotOpenedTogetherWithOthers() throws SQLException {
    LaneState far = log.claim(log.read(1).orElseThrow(), "relay-1").orElseThrow();
    for (int i = 0; i < 12; i++) {
      database.commitOne(i % 2, "k");
    }
    lane = log.refresh(lane).orElseThrow();

    LaneLog.Openings openings = log.openAny(List.of(lane, far), 10, 100, Long.MAX_VALUE);

    assertThat(openings.windows()).containsOnlyKeys(0);
    assertThat(openings.position() - far.nextFloor()).isGreaterThan(10);
    assertThat(log.read(1)).contains(far);
  }

  @Test
  void nothingIsOpenedTogetherWhereTheTablesDoNotBelong() throws SQLException {
    database.commitOne(0, "k");
    database.execute("update twinbox.outbox_cluster set system_identifier = 1");

    assertThat(log.openAny(List.of(lane), 1_000, 10, Long.MAX_VALUE).windows()).isEmpty();
  }

  private static List<UUID> ids(WindowReader.Page page) {
    return page.rows().stream().map(row -> row.record().id()).toList();
  }

  /** Another relay claims the lane after the lease has run out. */
  private Optional<LaneState> takeOver(LaneState held) throws SQLException {
    LaneLog others = database.log(Duration.ofMillis(1));
    LaneState expiring = others.renew(held).orElseThrow();
    await().until(() -> others.list(List.of("kafka")).get(held.lane()).free());
    return log.claim(expiring, "relay-2");
  }

  /** Opens, reads all, settles. */
  private List<UUID> drainWindow() throws SQLException {
    boolean anything = database.reader().poll(lane).anything();
    lane = log.open(lane).orElseThrow();
    List<UUID> ids = read();
    assertThat(anything).as("what a poll saw before").isEqualTo(!ids.isEmpty());
    lane = log.settle(lane).orElseThrow();
    return ids;
  }

  /** All of the open window, in pages of two. */
  private List<UUID> read() throws SQLException {
    return read(lane.ceiling());
  }

  /** The same, with pages that look no more than so many positions ahead. */
  private List<UUID> read(long span) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    List<String> late = WindowReader.runningAt(lane.done());
    long after = lane.cursor();
    WindowReader.Page page;
    do {
      long upTo = Math.min(lane.ceiling(), Math.max(after, lane.floor()) + span);
      page = reader.page(lane, late, after, upTo, 2, Long.MAX_VALUE);
      page.rows().forEach(row -> ids.add(row.record().id()));
      after = page.upTo();
    } while (!page.isLast());
    return ids;
  }

  private static void drawXid(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("select pg_current_xact_id()");
    }
  }

  private static void appendUncommitted(Connection connection, long seq) throws SQLException {
    appendUncommitted(connection, 0, seq);
  }

  private static void appendUncommitted(Connection connection, int lane, long seq)
      throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(
          "insert into twinbox.outbox_lane_log select lane, %d, 'rival', owner, claim_id, epoch, lease_until, window_number, done, target, floor, next_floor, ceiling, cursor_position, ahead from twinbox.outbox_lane_log where lane = %d and seq = %d"
              .formatted(seq, lane, seq - 1));
    }
  }

  private void awaitSomebodyWaits() {
    await()
        .until(
            () ->
                database.number(
                        "select count(*) from pg_stat_activity where datname = current_database()"
                            + " and wait_event_type = 'Lock'")
                    > 0);
  }

  private void moveOnToLeaf(int leaf) throws SQLException {
    database.execute("select setval('twinbox.outbox_position', %d)".formatted(leaf * 100 + 1));
  }

  private interface Work<T> {
    T run() throws Exception;
  }

  private <T> CompletableFuture<T> async(Work<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    threads.execute(
        () -> {
          try {
            result.complete(work.run());
          } catch (Exception e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }
}
