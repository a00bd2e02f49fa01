package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * {@code @Transactional} is the template's code behind an annotation, so the template stands for
 * both.
 */
final class SpringTransactionTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();
  private final DataSource dataSource = test.dataSource();
  private final JdbcTemplate jdbc = new JdbcTemplate(dataSource);
  private final DataSourceTransactionManager manager = new DataSourceTransactionManager(dataSource);
  private final TransactionTemplate transaction = new TransactionTemplate(manager);

  /** As Spring Boot wires jOOQ. */
  private final DSLContext db =
      DSL.using(
          new DataSourceConnectionProvider(new TransactionAwareDataSourceProxy(dataSource)),
          SQLDialect.POSTGRES);

  @Test
  void jooqJoinsTheCommit() {
    transaction.executeWithoutResult(
        status -> {
          order("1");
          outbox.enqueue(db, placed("1"));
          assertThat(test.keys()).as("before the commit").isEmpty();
        });
    assertThat(test.keys()).isEqualTo(test.orders()).containsExactly("1");
  }

  @Test
  void jooqJoinsTheRollback() {
    transaction.executeWithoutResult(
        status -> {
          order("1");
          outbox.enqueue(db, placed("1"));
          status.setRollbackOnly();
        });
    assertThat(test.keys()).isEqualTo(test.orders()).isEmpty();
  }

  @Test
  void plainJdbcJoinsCommitAndRollback() {
    for (boolean commit : new boolean[] {true, false}) {
      transaction.executeWithoutResult(
          status -> {
            String id = commit ? "kept" : "gone";
            order(id);
            Connection connection = DataSourceUtils.getConnection(dataSource);
            outbox.enqueue(connection, placed(id));
            DataSourceUtils.releaseConnection(connection, dataSource);
            if (!commit) {
              status.setRollbackOnly();
            }
          });
    }
    assertThat(test.keys()).isEqualTo(test.orders()).containsExactly("kept");
  }

  @Test
  void aRolledBackSavepointTakesItsMessagesWithIt() {
    TransactionTemplate nested = new TransactionTemplate(manager);
    nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);
    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(db, placed("1"));
          nested.executeWithoutResult(
              inner -> {
                order("2");
                outbox.enqueue(db, placed("2"));
                inner.setRollbackOnly();
              });
          nested.executeWithoutResult(inner -> outbox.enqueue(db, placed("3")));
        });
    assertThat(test.keys()).containsExactly("1", "3");
    assertThat(test.orders()).isEmpty();
  }

  @Test
  void outsideATransactionItIsRefused() {
    assertThatThrownBy(() -> outbox.enqueue(db, placed("1")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("auto-commit");
  }

  @Test
  void theCommitWakesOnceWithoutAnybodyAskingForIt() {
    AtomicInteger wakeups = new AtomicInteger();
    outbox.onWake(
        () -> {
          assertThat(test.keys()).as("visible when woken").containsExactly("1", "2");
          wakeups.incrementAndGet();
        });

    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(db, placed("1"));
          outbox.enqueue(db, placed("2"));
          assertThat(wakeups).hasValue(0);
        });
    assertThat(wakeups).hasValue(1);

    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(db, placed("3"));
          status.setRollbackOnly();
        });
    assertThat(wakeups).as("after a rollback").hasValue(1);
  }

  @Test
  void aListenerThatFailsDoesNotReachTheCaller() {
    AtomicInteger wakeups = new AtomicInteger();
    outbox.onWake(
        () -> {
          throw new IllegalStateException("expected in the log");
        });
    Outbox.Subscription subscription = outbox.onWake(wakeups::incrementAndGet);

    transaction.executeWithoutResult(status -> outbox.enqueue(db, placed("1")));
    outbox.wake();
    assertThat(wakeups).hasValue(2);

    subscription.close();
    subscription.close();
    outbox.wake();
    assertThat(wakeups).as("after removal").hasValue(2);
  }

  private void order(String id) {
    jdbc.update("insert into orders values (?)", id);
  }

  private static Message placed(String id) {
    return Message.to("kafka:orders").key(id).type("order.placed").text(id);
  }
}
