package dev.twinbox.relay.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Statements that settle, open and read at once; and the poll that comes before them. */
class WindowTurnTest extends OneLane {
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
      database.execute("select setval('twinbox.outbox_position', %s)".formatted(beyond));
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
}
