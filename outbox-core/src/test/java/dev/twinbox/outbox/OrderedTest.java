package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class OrderedTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();
  private final ExecutorService thread = Executors.newSingleThreadExecutor();

  @AfterEach
  void stop() {
    thread.shutdownNow();
  }

  @Test
  void twoTransactionsOnOneKeyDrawTheirPositionsOneAfterTheOther() throws Exception {
    try (Connection first = test.begin();
        Connection second = test.begin()) {
      outbox.enqueue(first, message("k", "first, begun").ordered());
      int pid = Waiting.pid(second);
      Future<?> waiting =
          thread.submit(
              () -> {
                outbox.enqueue(second, message("k", "second").ordered());
                second.commit();
                return null;
              });
      Waiting.untilBlocked(test, pid);
      outbox.enqueue(first, message("k", "first, more"));
      first.commit();
      waiting.get(30, TimeUnit.SECONDS);
    }
    assertThat(types()).containsExactly("first, begun", "first, more", "second");
  }

  @Test
  void aBatchWaitsToo() throws Exception {
    try (Connection first = test.begin();
        Connection second = test.begin()) {
      outbox.enqueueAll(first, List.of(message("k", "first, begun").ordered()));
      int pid = Waiting.pid(second);
      Future<?> waiting =
          thread.submit(
              () -> {
                outbox.enqueueAll(
                    second, List.of(message("j", "second"), message("k", "second").ordered()));
                second.commit();
                return null;
              });
      Waiting.untilBlocked(test, pid);
      outbox.enqueue(first, message("k", "first, more"));
      first.commit();
      waiting.get(30, TimeUnit.SECONDS);
    }
    assertThat(types()).containsExactly("first, begun", "first, more", "second", "second");
  }

  @Test
  void otherKeysBrokersAndUnorderedMessagesDoNotWait() throws SQLException {
    try (Connection first = test.begin();
        Connection second = test.begin()) {
      outbox.enqueue(first, message("k", "1").ordered());
      outbox.enqueue(second, message("other", "2").ordered());
      outbox.enqueue(second, message("k", "3"));
      outbox.enqueue(second, Message.to("rabbitmq:/q").key("k").type("4").text("x").ordered());
      second.commit();
      first.commit();
    }
    assertThat(types()).containsExactly("1", "2", "3", "4");
  }

  /** Locks in one order for everybody: who waits for the lower one does not hold the higher. */
  @Test
  void aBatchTakesItsLocksSortedSoThatTwoCannotDeadlock() throws Exception {
    boolean sorted = KeyLock.of("kafka", "a") < KeyLock.of("kafka", "b");
    String lower = sorted ? "a" : "b";
    String higher = sorted ? "b" : "a";
    try (Connection first = test.begin();
        Connection second = test.begin()) {
      outbox.enqueue(first, message(lower, "first").ordered());
      int pid = Waiting.pid(second);
      Future<?> waiting =
          thread.submit(
              () -> {
                outbox.enqueueAll(
                    second, List.of(message(higher, "x").ordered(), message(lower, "y").ordered()));
                second.commit();
                return null;
              });
      Waiting.untilBlocked(test, pid);
      assertThat(
              test.one(
                  "select count(*) from pg_locks where locktype = 'advisory' and granted and pid = "
                      + pid))
          .isEqualTo("0");
      outbox.enqueue(first, message(higher, "first").ordered());
      first.commit();
      waiting.get(30, TimeUnit.SECONDS);
    }
    assertThat(types()).containsExactly("first", "first", "x", "y");
  }

  private List<String> types() {
    return test.list("select type from twinbox.outbox order by position");
  }

  private static Message message(String key, String type) {
    return Message.to("kafka:orders").key(key).type(type).text("x");
  }
}
