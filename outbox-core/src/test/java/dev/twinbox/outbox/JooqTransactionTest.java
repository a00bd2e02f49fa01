package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DefaultConfiguration;
import org.jooq.impl.DefaultTransactionListenerProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
final class JooqTransactionTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();
  private final DSLContext db = DSL.using(test.dataSource(), SQLDialect.POSTGRES);

  @Test
  void aCommitKeepsTheMessage() {
    db.transaction(
        work -> {
          order(work.dsl(), "1");
          outbox.enqueue(work.dsl(), placed("1"));
          outbox.enqueueAll(work.dsl(), List.of(placed("2"), placed("3")));
          assertThat(test.keys()).as("before the commit").isEmpty();
        });
    assertThat(test.keys()).containsExactly("1", "2", "3");
    assertThat(test.orders()).containsExactly("1");
  }

  @Test
  void aRollbackTakesTheMessageWithIt() {
    assertThatThrownBy(
            () ->
                db.transaction(
                    work -> {
                      order(work.dsl(), "1");
                      outbox.enqueue(work.dsl(), placed("1"));
                      throw new Cancelled();
                    }))
        .isInstanceOf(Cancelled.class);
    assertThat(test.keys()).isEqualTo(test.orders()).isEmpty();
  }

  @Test
  void aRolledBackNestedTransactionTakesItsMessagesWithIt() {
    db.transaction(
        work -> {
          outbox.enqueue(work.dsl(), placed("1"));
          assertThatThrownBy(
                  () ->
                      work.dsl()
                          .transaction(
                              nested -> {
                                order(nested.dsl(), "2");
                                outbox.enqueue(nested.dsl(), placed("2"));
                                throw new Cancelled();
                              }))
              .isInstanceOf(Cancelled.class);
          work.dsl().transaction(nested -> outbox.enqueue(nested.dsl(), placed("3")));
        });
    assertThat(test.keys()).containsExactly("1", "3");
    assertThat(test.orders()).isEmpty();
  }

  @Test
  void outsideATransactionItIsRefused() {
    assertThatThrownBy(() -> outbox.enqueue(db, placed("1")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("auto-commit");
    assertThatThrownBy(() -> outbox.enqueueAll(db, List.of(placed("1"))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("dsl.transaction");
    assertThat(test.keys()).isEmpty();
  }

  @Test
  void theListenerWakesAfterTheCommitAndOnlyThen() {
    AtomicInteger wakeups = new AtomicInteger();
    Outbox.Subscription subscription =
        outbox.onWake(
            () -> {
              assertThat(test.keys()).as("visible when woken").containsExactly("1");
              wakeups.incrementAndGet();
            });
    DSLContext waking =
        DSL.using(
            new DefaultConfiguration()
                .set(test.dataSource())
                .set(SQLDialect.POSTGRES)
                .set(new DefaultTransactionListenerProvider(outbox.wakeOnCommit())));

    waking.transaction(
        work -> {
          outbox.enqueue(work.dsl(), placed("1"));
          assertThat(wakeups).hasValue(0);
        });
    assertThat(wakeups).hasValue(1);

    assertThatThrownBy(
            () ->
                waking.transaction(
                    work -> {
                      outbox.enqueue(work.dsl(), placed("2"));
                      throw new Cancelled();
                    }))
        .isInstanceOf(Cancelled.class);
    assertThat(wakeups).as("after a rollback").hasValue(1);
    subscription.close();
  }

  private static void order(DSLContext dsl, String id) {
    dsl.execute("insert into orders values (?)", id);
  }

  private static Message placed(String id) {
    return Message.to("kafka:orders").key(id).type("order.placed").text(id);
  }

  private static final class Cancelled extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }
}
