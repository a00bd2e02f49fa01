package dev.twinbox.relay.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.OutboxDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** When a leaf may not be emptied. */
class RotationTrapsTest extends OneLane {
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
}
