package dev.twinbox.relay.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.OutboxDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What a window could miss or repeat, were one of its rules not kept. */
class WindowTrapsTest extends OneLane {
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
        assertThat(read(span)).as("%s at a time", span).containsExactlyElementsOf(all);
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
  void aRolledBackTransactionIsNeverRead() throws SQLException {
    try (Connection producer = database.begin()) {
      database.insert(producer, 0, "k");
      producer.rollback();
    }
    assertThat(reader.poll(lane).anything()).isFalse();
    assertThat(drainWindow()).isEmpty();
  }
}
