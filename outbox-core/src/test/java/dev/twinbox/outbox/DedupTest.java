package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
final class DedupTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();

  @Test
  void theSecondEnqueueOfABusinessEventIsAVisibleNoOp() throws SQLException {
    try (Connection connection = test.begin()) {
      Enqueued first = outbox.enqueue(connection, message("1", "event"));
      connection.commit();
      Enqueued second = outbox.enqueue(connection, message("2", "event"));
      TestOutbox.order(connection, "the transaction goes on");
      connection.commit();

      assertThat(first.duplicate()).isFalse();
      assertThat(second).isEqualTo(new Enqueued(first.id(), true));
    }
    assertThat(test.keys()).containsExactly("1");
    assertThat(test.orders()).hasSize(1);
  }

  @Test
  void withinOneTransactionAndOneBatchToo() throws SQLException {
    try (Connection connection = test.begin()) {
      Enqueued earlier = outbox.enqueue(connection, message("1", "a"));
      List<Enqueued> batch =
          outbox.enqueueAll(
              connection,
              List.of(
                  message("2", "b"),
                  message("3", "a"),
                  message("4", "b"),
                  message("5", "c").delay(Duration.ofDays(1)),
                  message("6", "c"),
                  Message.to("kafka:orders").key("7").type("t").text("x")));
      connection.commit();

      assertThat(batch)
          .extracting(Enqueued::duplicate)
          .containsExactly(false, true, true, false, true, false);
      assertThat(batch.get(1).id()).isEqualTo(earlier.id());
      assertThat(batch.get(2).id()).isEqualTo(batch.get(0).id());
      assertThat(batch.get(4).id()).isEqualTo(batch.get(3).id());
    }
    assertThat(test.keys()).containsExactly("1", "2", "7");
    assertThat(test.list("select key from twinbox.outbox_scheduled")).containsExactly("5");
  }

  @Test
  void aRepeatedCallWithTheCallersOwnIdStoresNothingMore() throws SQLException {
    UUID id = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
    Message message = message("1", "event").id(id);
    try (Connection connection = test.begin()) {
      assertThat(outbox.enqueueAll(connection, List.of(message, message)))
          .containsExactly(new Enqueued(id, false), new Enqueued(id, true));
      assertThat(outbox.enqueue(connection, message)).isEqualTo(new Enqueued(id, true));
      connection.commit();
    }
    assertThat(test.keys()).containsExactly("1");
  }

  @Test
  void aRolledBackFirstLeavesItsKeyFree() throws SQLException {
    try (Connection connection = test.begin()) {
      outbox.enqueue(connection, message("1", "event"));
      connection.rollback();
      assertThat(outbox.enqueue(connection, message("2", "event")).duplicate()).isFalse();
      connection.commit();
    }
    assertThat(test.keys()).containsExactly("2");
  }

  @Test
  void theSecondOfTwoAtOnceWaitsAndThenSeesADuplicate() throws Exception {
    assertThat(secondOfTwo(true).duplicate()).isTrue();
    assertThat(test.keys()).containsExactly("first");
  }

  @Test
  void theSecondOfTwoAtOnceTakesOverWhenTheFirstRollsBack() throws Exception {
    assertThat(secondOfTwo(false).duplicate()).isFalse();
    assertThat(test.keys()).containsExactly("second");
  }

  private Enqueued secondOfTwo(boolean commit) throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (Connection first = test.begin();
        Connection second = test.begin()) {
      outbox.enqueue(first, message("first", "event"));
      int pid = Waiting.pid(second);
      Future<Enqueued> result =
          thread.submit(
              () -> {
                Enqueued enqueued = outbox.enqueue(second, message("second", "event"));
                second.commit();
                return enqueued;
              });
      Waiting.untilBlocked(test, pid);
      if (commit) {
        first.commit();
      } else {
        first.rollback();
      }
      return result.get(30, TimeUnit.SECONDS);
    } finally {
      thread.shutdownNow();
    }
  }

  private static Message message(String key, String dedupKey) {
    return Message.to("kafka:orders").key(key).type("t").text("x").dedupKey(dedupKey);
  }
}
