package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One delivery at a time. */
class InboxTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aTimeLimitThatNoTimeoutCanHoldIsRefused() {
    assertThatThrownBy(() -> database.inbox("eternal").handlerTimeLimit(Duration.ofDays(30)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("20 days");
  }

  @Test
  void aPauseIsNeverZeroSoThatOthersGetTheirTurn() {
    assertThat(Backoff.exponential(Duration.ZERO).pause(3)).isPositive();
    assertThat(new Backoff(Duration.ZERO, Duration.ZERO, 3).pause(3)).isPositive();
  }

  @Tag("essential")
  @Test
  void aRedeliveredMessageChangesNothing() {
    Delivery message = delivery();

    assertThat(inbox.receive(message, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(message, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(inbox.receive(message.again(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);

    assertThat(database.effects()).containsExactly(message.id());
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Tag("essential")
  @Test
  void aFailingHandlerRollsBackItsRowsAndItsInboxRow() {
    Delivery message = delivery();

    Receipt receipt =
        inbox.receive(
            message,
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              throw new IllegalStateException("No stock");
            });

    assertThat(receipt)
        .isInstanceOfSatisfying(
            Receipt.Failed.class,
            failed -> {
              assertThat(failed.attempts()).isEqualTo(1);
              assertThat(failed.error()).hasMessage("No stock");
              assertThat(failed.settled()).isFalse();
            });
    assertThat(database.effects()).isEmpty();
    assertThat(database.count("select count(*) from twinbox.inbox")).isZero();

    assertThat(inbox.receive(message.again(), InboxDatabase::effect).settled()).isTrue();
    assertThat(database.effects()).containsExactly(message.id());
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Tag("essential")
  @Test
  void afterItsLastAttemptAMessageIsQuarantinedWithItsError() {
    Inbox impatient =
        database
            .inbox("impatient")
            .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(3))
            .build();
    Delivery message = delivery();
    AtomicInteger runs = new AtomicInteger();
    Handler failing =
        (delivery, work) -> {
          InboxDatabase.effect(delivery, work);
          throw new IllegalStateException("Failure " + runs.incrementAndGet());
        };

    assertThat(impatient.receive(message, failing)).isInstanceOf(Receipt.Failed.class);
    assertThat(impatient.receive(message.again(), failing)).isInstanceOf(Receipt.Failed.class);
    assertThat(impatient.receive(message.again(), failing))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 3));
    assertThat(impatient.receive(message.again(), failing)).isInstanceOf(Receipt.Duplicate.class);

    assertThat(runs).hasValue(3);
    assertThat(database.effects()).isEmpty();
    assertThat(
            database.texts(
                "select concat_ws('|', id, source, type, content_type, destination, attempts,"
                    + " convert_from(payload, 'UTF8'), error ~ 'Failure 3')"
                    + " from twinbox.inbox_dead_letter"))
        .containsExactly(message.id() + "|/shop|order.placed|text/plain|kafka:orders|3|payload|t");
  }

  @Test
  void aMessageThatKillsItsProcessIsQuarantinedAfterItsAttempts() {
    Delivery killer = delivery().again();
    for (int death = 1; death <= 2; death++) {
      Inbox process = givingUpAfterTwo();
      assertThatThrownBy(() -> process.receive(killer, this::loseTheConnection))
          .isInstanceOf(DatabaseUnavailableException.class);
    }

    assertThat(givingUpAfterTwo().receive(killer, InboxDatabase::effect))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.ATTEMPTS_EXHAUSTED, 2));

    assertThat(database.effects()).isEmpty();
    assertThat(database.texts("select error from twinbox.inbox_dead_letter").get(0))
        .contains("did not end");
  }

  @Test
  void anAttemptIsCountedBeforeTheHandlerOfARedelivery() {
    Delivery message = delivery().again();

    inbox.receive(
        message,
        (delivery, work) ->
            assertThat(database.texts("select attempts from twinbox.inbox_failure"))
                .containsExactly("1"));

    assertThat(database.count("select count(*) from twinbox.inbox")).isEqualTo(1);
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Test
  void aLostConnectionCountsNoAttempt() {
    Delivery message = delivery().again();
    for (int outage = 0; outage < 10; outage++) {
      assertThatThrownBy(() -> inbox.receive(message, this::loseTheConnection))
          .isInstanceOf(DatabaseUnavailableException.class);
    }

    Receipt receipt =
        inbox.receive(
            message,
            (delivery, work) -> {
              throw new IllegalStateException("First real failure");
            });

    assertThat(receipt)
        .isInstanceOfSatisfying(
            Receipt.Failed.class, failed -> assertThat(failed.attempts()).isEqualTo(1));
  }

  @Test
  void aSwallowedSqlErrorIsAFailureAndNoSilentRollback() {
    database.execute("create table unique_thing (id int primary key)");
    database.execute("insert into unique_thing values (1)");

    Receipt receipt =
        inbox.receive(
            delivery(),
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              try {
                work.dsl().execute("insert into unique_thing values (1)");
              } catch (RuntimeException e) {
                // The mistake: PostgreSQL has aborted the transaction.
              }
            });

    assertThat(receipt).isInstanceOf(Receipt.Failed.class);
    assertThat(database.effects()).isEmpty();
  }

  @Test
  void effectsAreDurableThoughTheRolesDefaultIsNot() {
    database.execute(
        "create table setting as select current_setting('synchronous_commit') as value limit 0");
    // A deferred trigger runs inside COMMIT, and sees the setting that the commit goes by.
    database.execute(
        """
        create function note_setting() returns trigger language plpgsql as $$
        begin
          insert into setting values (current_setting('synchronous_commit'));
          return null;
        end $$\
        """);
    database.execute(
        """
        create constraint trigger note after insert on effect deferrable initially deferred
        for each row execute function note_setting()\
        """);

    inbox.receive(
        delivery(),
        (delivery, work) -> {
          work.dsl().execute("set synchronous_commit = off");
          InboxDatabase.effect(delivery, work);
        });

    assertThat(database.texts("select value from setting")).containsExactly("on");
  }

  @Test
  void theHandlerMayUseJooqAndJdbcAndSavepointsButNotEndTheTransaction() {
    Receipt receipt =
        inbox.receive(
            delivery(),
            (delivery, work) -> {
              work.dsl()
                  .transaction(inner -> InboxDatabase.effect("kept", "jooq", work.connection()));
              assertThatThrownBy(
                      () ->
                          work.dsl()
                              .transaction(
                                  inner -> {
                                    InboxDatabase.effect("undone", "jooq", work.connection());
                                    throw new IllegalStateException("undo");
                                  }))
                  .hasMessage("undo");
              Savepoint savepoint = work.connection().setSavepoint();
              InboxDatabase.effect("undone", "jdbc", work.connection());
              work.connection().rollback(savepoint);
              assertThatThrownBy(work.connection()::commit)
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("commit()");
              assertThatThrownBy(() -> work.connection().rollback())
                  .isInstanceOf(IllegalStateException.class);
              assertThatThrownBy(() -> work.connection().setAutoCommit(true))
                  .isInstanceOf(IllegalStateException.class);
            });

    assertThat(receipt).isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly("kept");
  }

  @Tag("essential")
  @Test
  void aHandlerCanEnqueueInTheSameTransaction() {
    database.execute("create table outgoing (cause text)");
    Handler enqueueing =
        (delivery, work) -> work.dsl().execute("insert into outgoing values (?)", delivery.id());
    Delivery failing = delivery();
    Delivery good = delivery();

    inbox.receive(
        failing,
        (delivery, work) -> {
          enqueueing.handle(delivery, work);
          throw new IllegalStateException("after enqueueing");
        });
    inbox.receive(good, enqueueing);
    inbox.receive(good, enqueueing);

    assertThat(database.texts("select cause from outgoing")).containsExactly(good.id());
  }

  @Test
  void theCallersTransactionDecides() throws SQLException {
    Delivery message = delivery();
    try (Connection connection = database.dataSource().getConnection()) {
      assertThatThrownBy(() -> inbox.receiveIn(connection, message, InboxDatabase::effect))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("setAutoCommit(false)");

      connection.setAutoCommit(false);
      assertThat(inbox.receiveIn(connection, message, InboxDatabase::effect))
          .isInstanceOf(Receipt.Processed.class);
      connection.rollback();
      assertThat(database.effects()).isEmpty();

      assertThat(inbox.receiveIn(connection, message, InboxDatabase::effect))
          .isInstanceOf(Receipt.Processed.class);
      connection.commit();
    }
    DSL.using(database.dataSource(), SQLDialect.POSTGRES)
        .transaction(
            work ->
                assertThat(inbox.receiveIn(work.dsl(), message, InboxDatabase::effect))
                    .isInstanceOf(Receipt.Duplicate.class));
    assertThat(database.effects()).containsExactly(message.id());
  }

  @Test
  void whatTheHandlerThrowsReachesTheCallerWhoseTransactionItIs() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      assertThatThrownBy(
              () ->
                  inbox.receiveIn(
                      connection,
                      delivery(),
                      (delivery, work) -> {
                        throw new java.io.IOException("checked");
                      }))
          .isInstanceOf(HandlerException.class)
          .hasRootCauseMessage("checked");
      connection.rollback();
    }
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  @Tag("essential")
  @Test
  void anOperatorLetsAQuarantinedMessageThroughOnce() {
    Delivery message = delivery();
    inbox.receive(
        message,
        (delivery, work) -> {
          throw new UnprocessableException("Not yet");
        });
    assertThat(database.quarantined()).containsExactly("unprocessable");
    assertThat(inbox.receive(message, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);

    database.execute(
        """
        insert into twinbox.inbox_pass (consumer_id, message_id, granted_by)
        select consumer_id, message_id, 'ops' from twinbox.inbox_dead_letter\
        """);

    assertThat(inbox.receiveAll(List.of(message, delivery()), InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(inbox.receive(message, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.effects()).hasSize(2).contains(message.id());
  }

  /** For the database, a killed process and a cut connection are one thing. */
  private void loseTheConnection(Delivery delivery, InboxTransaction work) {
    int session = work.dsl().fetchSingle("select pg_backend_pid()").into(int.class);
    database.execute("select pg_terminate_backend(%s, 5000)".formatted(session));
    work.dsl().selectOne().fetch();
  }

  /** A new instance knows nothing, as a new process. */
  private Inbox givingUpAfterTwo() {
    return database
        .inbox("impatient")
        .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(2))
        .build();
  }
}
