package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionTemplate;

/** Transactions that somebody else owns: the receipt is final, and no failure is lost. */
@Timeout(120)
class TransactionRunnerTest {
  private static final InboxDatabase database = InboxDatabase.create();
  private static final DataSource pool = database.dataSource();

  private final AtomicInteger calls = new AtomicInteger();

  @BeforeEach
  void empty() {
    database.execute(
        "truncate effect, twinbox.inbox, twinbox.inbox_failure, twinbox.inbox_dead_letter,"
            + " twinbox.inbox_redrive, twinbox.inbox_pass;"
            + " create table if not exists stock (item text primary key);"
            + " create table if not exists sale ("
            + "   item text references stock deferrable initially deferred);"
            + " truncate sale, stock");
  }

  @AfterAll
  static void close() {
    database.close();
  }

  /** Who owns the transactions. */
  enum Owner {
    SPRING {
      @Override
      TransactionRunner runner() {
        TransactionTemplate template =
            new TransactionTemplate(new DataSourceTransactionManager(pool));
        return work ->
            template.executeWithoutResult(status -> work.on(DataSourceUtils.getConnection(pool)));
      }
    },
    JOOQ {
      @Override
      TransactionRunner runner() {
        return work ->
            DSL.using(pool, SQLDialect.POSTGRES)
                .transaction(configuration -> work.on(configuration.dsl()));
      }
    },
    JDBC {
      @Override
      TransactionRunner runner() {
        return work -> jdbc(work, Connection::commit);
      }
    };

    abstract TransactionRunner runner();
  }

  /** What ends a transaction. */
  private interface End {
    void end(Connection connection) throws SQLException;
  }

  private static void jdbc(TransactionalWork work, End end) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      try {
        work.on(connection);
        end.end(connection);
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
      }
    }
  }

  private Inbox inbox(TransactionRunner runner) {
    return database
        .inbox("billing")
        .transactions(runner)
        .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(2))
        .build();
  }

  private void sale(Delivery delivery, InboxTransaction work) throws SQLException {
    calls.incrementAndGet();
    InboxDatabase.effect(delivery, work);
    work.dsl().execute("insert into sale values ({0})", DSL.val(delivery.key()));
  }

  @Tag("essential")
  @ParameterizedTest
  @EnumSource(Owner.class)
  void effectsAndIdAreCommittedTogetherByTheirOwner(Owner owner) {
    Inbox inbox = inbox(owner.runner());
    List<Delivery> batch = List.of(delivery(), delivery(), delivery());

    assertThat(inbox.receiveAll(batch, InboxDatabase::effect))
        .containsOnly(new Receipt.Processed());
    assertThat(inbox.receiveAll(batch, InboxDatabase::effect))
        .containsOnly(new Receipt.Duplicate());
    assertThat(database.effects()).hasSize(3);
  }

  @Tag("essential")
  @ParameterizedTest
  @EnumSource(Owner.class)
  void aFailureLeavesNothingAndIsCounted(Owner owner) {
    Inbox inbox = inbox(owner.runner());
    Delivery poison = delivery();
    Handler failing =
        (delivery, work) -> {
          InboxDatabase.effect(delivery, work);
          if (Objects.equals(delivery.id(), poison.id())) {
            throw new Exception("checked");
          }
        };

    List<Receipt> receipts = inbox.receiveAll(List.of(delivery(), poison), failing);
    assertThat(receipts.get(0)).isEqualTo(new Receipt.Processed());
    assertThat(receipts.get(1))
        .isInstanceOfSatisfying(
            Receipt.Failed.class,
            failed -> {
              assertThat(failed.attempts()).isEqualTo(1);
              assertThat(failed.error()).hasMessage("checked");
            });
    assertThat(inbox.receive(poison.again(), failing))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 2));
    assertThat(database.effects()).hasSize(1);
  }

  /** As with JPA, whose statements are first sent at the flush. */
  @Tag("essential")
  @ParameterizedTest
  @EnumSource(Owner.class)
  void aFailureOfTheCommitIsTheMessages(Owner owner) {
    Inbox inbox = inbox(owner.runner());
    database.execute("insert into stock values ('known')");
    Delivery good = delivery(Messages.id(), "known");
    Delivery bad = delivery(Messages.id(), "unknown");

    List<Receipt> receipts = inbox.receiveAll(List.of(good, bad), this::sale);

    assertThat(receipts.get(0)).isEqualTo(new Receipt.Processed());
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Failed.class);
    assertThat(inbox.receive(bad.again(), this::sale))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 2));
    assertThat(database.effects()).containsExactly(good.id());
    assertThat(database.texts("select error from twinbox.inbox_dead_letter").get(0))
        .contains("sale_item_fkey");
  }

  @Test
  void aQuietRollbackIsNoSuccess() {
    TransactionTemplate template = new TransactionTemplate(new DataSourceTransactionManager(pool));
    Inbox inbox =
        inbox(
            work ->
                template.executeWithoutResult(
                    status -> {
                      work.on(DataSourceUtils.getConnection(pool));
                      status.setRollbackOnly();
                    }));

    assertThat(inbox.receive(delivery(), InboxDatabase::effect))
        .isInstanceOfSatisfying(
            Receipt.Failed.class,
            failed -> assertThat(failed.error()).hasMessageContaining("setRollbackOnly"));
    assertThat(database.effects()).isEmpty();
  }

  @Test
  void aTransactionThatIsStillOpenCountsForNothing() throws SQLException {
    try (Connection outer = pool.getConnection()) {
      outer.setAutoCommit(false);
      Inbox inbox = inbox(work -> work.on(outer));

      assertThatThrownBy(() -> inbox.receive(delivery(), InboxDatabase::effect))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("PROPAGATION_REQUIRES_NEW");
      outer.rollback();
    }
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void anErrorAfterTheCommitChangesNothing() {
    Inbox inbox =
        inbox(
            work -> {
              jdbc(work, Connection::commit);
              throw new IllegalStateException("after the commit");
            });

    assertThat(inbox.receive(delivery(), InboxDatabase::effect)).isEqualTo(new Receipt.Processed());
  }

  @Test
  void aRunnerThatCommitsInSpiteOfAnErrorIsSeen() {
    Inbox inbox =
        inbox(
            work ->
                jdbc(
                    connection -> {
                      try {
                        work.on(connection);
                      } catch (RuntimeException e) {
                        // lost
                      }
                    },
                    Connection::commit));

    assertThat(
            inbox.receive(
                delivery(),
                (delivery, work) -> {
                  InboxDatabase.effect(delivery, work);
                  throw new IllegalStateException("a handler's");
                }))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.TRANSACTION_ENDED, 1));
    assertThat(database.quarantined()).containsExactly("transaction-ended");
  }

  private interface OnConnection extends TransactionalWork {
    @Override
    default void on(org.jooq.DSLContext dsl) {
      throw new UnsupportedOperationException();
    }
  }

  private static void jdbc(OnConnection work, End end) throws SQLException {
    jdbc((TransactionalWork) work, end);
  }

  /** By the connection that Spring hands to repositories, which nobody guards. */
  @Tag("essential")
  @Test
  void aHandlerThatEndsTheTransactionBySqlIsNoSuccess() {
    Inbox inbox = inbox(Owner.SPRING.runner());
    List<Delivery> batch = List.of(delivery(), delivery());

    List<Receipt> receipts =
        inbox.receiveAll(
            batch,
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              if (delivery.equals(batch.get(0))) {
                DataSourceUtils.getConnection(pool).createStatement().execute("commit; begin");
              }
            });

    assertThat(receipts)
        .doesNotContain(new Receipt.Processed())
        .allSatisfy(receipt -> assertThat(receipt).isInstanceOf(Receipt.Quarantined.class));
    assertThat(database.quarantined()).containsOnly("transaction-ended");
  }

  @Test
  void aConnectionWithoutATransactionIsRefusedByName() {
    Inbox inbox =
        inbox(
            work -> {
              try (Connection connection = pool.getConnection()) {
                work.on(connection);
              }
            });

    assertThatThrownBy(() -> inbox.receive(delivery(), InboxDatabase::effect))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("auto-commit");
    assertThat(database.effects()).isEmpty();
  }

  @Test
  void anOwnerThatCannotBeginIsWaitedFor() {
    Inbox inbox =
        inbox(
            work -> {
              throw new SQLException("no connection");
            });

    assertThatThrownBy(() -> inbox.receive(delivery(), InboxDatabase::effect))
        .isInstanceOf(DatabaseUnavailableException.class)
        .hasMessageContaining("no connection");
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void aConnectionThatIsLostAtTheCommitIsNotTheMessages() {
    TransactionTemplate template = new TransactionTemplate(new DataSourceTransactionManager(pool));
    Inbox inbox =
        inbox(
            work ->
                template.executeWithoutResult(
                    status -> {
                      Connection connection = DataSourceUtils.getConnection(pool);
                      work.on(connection);
                      terminate(connection);
                    }));

    assertThatThrownBy(() -> inbox.receive(delivery(), InboxDatabase::effect))
        .isInstanceOf(DatabaseUnavailableException.class);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
    assertThat(database.effects()).isEmpty();
  }

  private static void terminate(Connection session) {
    int backend = DSL.using(session).fetchSingle("select pg_backend_pid()").get(0, int.class);
    database.execute("select pg_terminate_backend(%s, 10000)".formatted(backend));
  }

  @Test
  void aSerializationFailureAtTheCommitRunsAgain() {
    AtomicInteger commits = new AtomicInteger();
    Inbox inbox =
        inbox(
            work ->
                jdbc(
                    work,
                    connection -> {
                      if (commits.incrementAndGet() < 3) {
                        throw new SQLException("serialization", "40001");
                      }
                      connection.commit();
                    }));

    assertThat(inbox.receive(delivery(), InboxDatabase::effect)).isEqualTo(new Receipt.Processed());
    assertThat(commits).hasValue(3);
    assertThat(database.effects()).hasSize(1);
  }

  @Test
  void messagesThatComeOneByOneAreReceivedToo() {
    Inbox inbox = inbox(Owner.SPRING.runner());
    Deque<Delivery> coming = new ArrayDeque<>(List.of(delivery(), delivery(), delivery()));
    AtomicInteger processed = new AtomicInteger();

    inbox.receiveEach(
        new DeliverySource() {
          @Override
          public @Nullable Delivery next() {
            return coming.poll();
          }

          @Override
          public void received(Receipt receipt) {
            assertThat(receipt).isEqualTo(new Receipt.Processed());
            processed.incrementAndGet();
          }
        },
        InboxDatabase::effect,
        () -> true);

    assertThat(processed).hasValue(3);
    assertThat(database.effects()).hasSize(3);
  }

  @Test
  void failuresInACallersTransactionCanBeCounted() throws SQLException {
    Inbox inbox =
        database.inbox("billing").backoff(new Backoff(Duration.ZERO, Duration.ZERO, 2)).build();
    Delivery poison = delivery();
    Handler failing =
        (delivery, work) -> {
          throw new Exception("a handler's");
        };

    for (int attempt = 1; attempt <= 2; attempt++) {
      Throwable error = null;
      try (Connection connection = pool.getConnection()) {
        connection.setAutoCommit(false);
        try {
          inbox.receiveIn(connection, poison, failing);
        } catch (HandlerException e) {
          error = e;
        }
        connection.rollback();
        connection.setAutoCommit(true);
      }
      Receipt receipt = inbox.failed(poison, Objects.requireNonNull(error));
      if (attempt == 1) {
        assertThat(receipt)
            .isInstanceOfSatisfying(
                Receipt.Failed.class,
                failed -> assertThat(failed.error()).hasMessage("a handler's"));
      } else {
        assertThat(receipt)
            .isEqualTo(new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 2));
      }
    }
    assertThat(inbox.failed(delivery(), new SQLException("again", "40001")))
        .isEqualTo(new Receipt.Held());
  }
}
