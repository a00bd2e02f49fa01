package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.jooq.impl.DefaultConfiguration;
import org.jooq.impl.ThreadLocalTransactionProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A pool that switches auto-commit off rolls back what nobody commits. */
final class PooledTransactionTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();
  private final HikariDataSource pool = pool();
  private final DSLContext db = DSL.using(pool, SQLDialect.POSTGRES);

  @AfterEach
  void close() {
    pool.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aContextInNoTransactionIsRefusedWhateverAutoCommitSays(boolean autoCommit) {
    pool.setAutoCommit(autoCommit);
    for (Message message : everyKind()) {
      assertThatThrownBy(() -> outbox.enqueue(db, message))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("in no transaction")
          .hasMessageContaining("dsl.transaction");
    }
    assertThatThrownBy(() -> outbox.enqueueAll(db, everyKind()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("in no transaction");
    assertThatThrownBy(() -> outbox.cancel(db, UUID.randomUUID()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("in no transaction");
    assertThat(test.keys()).isEmpty();
    assertThat(pool.isRunning()).as("a connection was taken").isFalse();
  }

  @Test
  void jooqsTransactionsAreAccepted() throws Exception {
    db.transaction(
        work -> {
          outbox.enqueue(work.dsl(), placed("1"));
          work.dsl().transaction(nested -> outbox.enqueue(nested.dsl(), placed("2")));
          outbox.enqueueAll(work.dsl(), List.of(placed("3"), placed("4").ordered()));
        });
    db.transactionResult(work -> outbox.enqueue(work.dsl(), placed("5")));
    db.transactionAsync(Runnable::run, work -> outbox.enqueue(work.dsl(), placed("6")))
        .toCompletableFuture()
        .get();
    assertThat(test.keys()).containsExactly("1", "2", "3", "4", "5", "6");
  }

  @Test
  void aContextThatOutlivesItsTransactionIsRefused() {
    DSLContext[] kept = new DSLContext[1];
    db.transaction(work -> kept[0] = work.dsl());
    assertThatThrownBy(() -> outbox.enqueue(kept[0], placed("1")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("in no transaction");
  }

  @Test
  void theOuterContextInsideATransactionIsRefused() {
    db.transaction(
        work ->
            assertThatThrownBy(() -> outbox.enqueue(db, placed("1")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("work.dsl()"));
    assertThat(test.keys()).isEmpty();
  }

  @Test
  void aTransactionBoundToTheThreadIsAcceptedAndNothingElse() {
    DSLContext local =
        DSL.using(
            new DefaultConfiguration()
                .set(SQLDialect.POSTGRES)
                .set(new ThreadLocalTransactionProvider(new DataSourceConnectionProvider(pool))));
    assertThatThrownBy(() -> outbox.enqueue(local, placed("0")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("in no transaction");
    local.transaction(
        () -> {
          outbox.enqueue(local, placed("1"));
          local.transaction(() -> outbox.enqueue(local, placed("2")));
          assertThatThrownBy(
                  () -> CompletableFuture.runAsync(() -> outbox.enqueue(local, placed("3"))).join())
              .hasCauseInstanceOf(IllegalStateException.class);
        });
    assertThatThrownBy(() -> outbox.enqueue(local, placed("4")))
        .isInstanceOf(IllegalStateException.class);
    assertThat(test.keys()).containsExactly("1", "2");
    assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
  }

  @Test
  void aConnectionThatItsCallerCommitsIsAcceptedAlsoThroughJooq() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      outbox.enqueue(connection, placed("1"));
      outbox.enqueue(DSL.using(connection, SQLDialect.POSTGRES), placed("2"));
      connection.commit();
    }
    assertThat(test.keys()).containsExactly("1", "2");
  }

  @Test
  void aReadOnlyConnectionIsRefusedBeforeAnySqlAndItsTransactionGoesOn() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setReadOnly(true);
      refusedAsReadOnly(connection);
      assertThat(isUsable(connection)).isTrue();
    }
  }

  @Test
  void aReadOnlyDefaultIsRefusedAndItsTransactionGoesOn() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      execute(connection, "set default_transaction_read_only = on");
      connection.commit();
      refusedAsReadOnly(connection);
      assertThat(isUsable(connection)).isTrue();
      connection.rollback();

      execute(connection, "set transaction read write");
      outbox.enqueue(connection, placed("1"));
      connection.commit();
      execute(connection, "reset default_transaction_read_only");
      connection.commit();
    }
    assertThat(test.keys()).containsExactly("1");
  }

  @Test
  void whatMadeATransactionReadOnlyUnnoticedIsToldByTheException() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      execute(connection, "set transaction read only");
      assertThatThrownBy(() -> outbox.enqueue(connection, placed("1")))
          .isInstanceOf(DataAccessException.class)
          .hasMessageContaining("25006")
          .hasMessageContaining("read-only transaction");
      connection.rollback();
    }
  }

  /** Where a statement runs before the insert anyway, it asks. */
  @Test
  void aTransactionMadeReadOnlyBySqlGoesOnAfterOrderedAndCancel() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      execute(connection, "set transaction read only");
      assertThatThrownBy(() -> outbox.enqueue(connection, placed("1").ordered()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("read-only");
      assertThatThrownBy(() -> outbox.cancel(connection, UUID.randomUUID()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("read-only");
      assertThat(isUsable(connection)).isTrue();
    }
  }

  private void refusedAsReadOnly(Connection connection) {
    for (Message message : everyKind()) {
      assertThatThrownBy(() -> outbox.enqueue(connection, message))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("read-only");
    }
    assertThatThrownBy(() -> outbox.enqueueAll(connection, everyKind()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("read-only");
    assertThatThrownBy(() -> outbox.cancel(connection, UUID.randomUUID()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("read-only");
  }

  private static boolean isUsable(Connection connection) throws SQLException {
    execute(connection, "select count(*) from orders");
    return true;
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static List<Message> everyKind() {
    return List.of(
        placed("plain"),
        placed("ordered").ordered(),
        placed("dedup").dedupKey("once"),
        placed("later").delay(Duration.ofHours(1)));
  }

  private static Message placed(String id) {
    return Message.to("kafka:orders").key(id).type("order.placed").text(id);
  }

  private HikariDataSource pool() {
    HikariDataSource created = new HikariDataSource();
    created.setDataSource(test.dataSource());
    created.setAutoCommit(false);
    created.setMaximumPoolSize(4);
    return created;
  }
}
