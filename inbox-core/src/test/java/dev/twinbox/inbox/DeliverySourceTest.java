package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One delivery after another: a commit and the beginning of what follows share a round trip. */
@Timeout(60)
class DeliverySourceTest {
  private static final String ATTEMPTS =
      "select coalesce(sum(attempts), 0) from twinbox.inbox_failure";

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox =
      longChained("billing").handlerTimeLimit(Duration.ofSeconds(20)).build();
  private final Inbox strict =
      longChained("billing").handlerTimeLimit(Duration.ofSeconds(1)).build();
  private final Delivery first = delivery();
  private final Delivery second = delivery();
  private final Delivery third = delivery();
  private final List<String> handled = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void eachMessageIsCommittedBeforeTheNextOneIsHandled() {
    List<String> transactions = new ArrayList<>();
    List<String> sessions = new ArrayList<>();
    Row row = new Row(first, second, third);

    row.receive(
        (delivery, work) -> {
          assertThat(database.effects()).hasSize(row.receipts.size()).isEqualTo(handled);
          sessions.add(work.dsl().fetchSingle("select pg_backend_pid()::text").into(String.class));
          transactions.add(
              work.dsl().fetchSingle("select pg_current_xact_id()::text").into(String.class));
          effect(delivery, work);
        });

    assertThat(row.receipts).hasSize(3).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(transactions).doesNotHaveDuplicates();
    assertThat(database.texts("select xmin::text from twinbox.inbox order by xmin::text::bigint"))
        .isEqualTo(transactions);
    assertThat(sessions.stream().distinct()).hasSize(1);
  }

  @Test
  void eachTransactionHasItsSettingsWhateverTheDefaultsAre() {
    database.execute(
        """
        do $$ begin
          execute format('alter database %I set default_transaction_isolation = serializable',
            current_database());
          execute format('alter database %I set synchronous_commit = off', current_database());
        end $$""");
    database.execute("create table setting (number serial, value text)");
    // A deferred trigger runs inside COMMIT, and sees the setting that the commit goes by.
    database.execute(
        """
        create function note_setting() returns trigger language plpgsql as $$
        begin
          insert into setting (value) values (current_setting('synchronous_commit'));
          return null;
        end $$""");
    database.execute(
        """
        create constraint trigger note after insert on effect deferrable initially deferred
        for each row execute function note_setting()""");
    List<String> seen = new ArrayList<>();
    Row row = new Row(first, second, third);

    row.receive(
        (delivery, work) -> {
          seen.add(
              work.dsl()
                  .fetchSingle(
                      "select concat_ws(' ', current_setting('transaction_isolation'),"
                          + " current_setting('statement_timeout'),"
                          + " current_setting('idle_in_transaction_session_timeout'))")
                  .into(String.class));
          work.dsl().execute("set local statement_timeout = 0");
          effect(delivery, work);
          if (delivery == first) {
            work.dsl().execute("set local synchronous_commit = off");
          }
        });

    assertThat(row.receipts).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(seen).hasSize(3).containsOnly("read committed 40s 40s");
    assertThat(database.texts("select value from setting order by number"))
        .containsExactly("on", "on", "on");
  }

  @Test
  void aShorterStatementTimeoutOfTheRoleStaysForAllOfThem() {
    database.execute(
        """
        do $$ begin
          execute format('alter database %I set statement_timeout = 700', current_database());
        end $$""");
    List<String> seen = new ArrayList<>();

    new Row(first, second, third, delivery())
        .receive(
            (delivery, work) -> {
              seen.add(work.dsl().fetchSingle("show statement_timeout").into(String.class));
              work.dsl().execute("set local statement_timeout = 0");
            });

    assertThat(seen).hasSize(4).containsOnly("700ms");
  }

  /** What a handler sets for its session is no way out of the limits. */
  @Test
  void eachMessageIsLimitedWhateverTheOneBeforeHasSetForTheSession() {
    List<String> seen = new ArrayList<>();

    new Row(first, second, third, delivery())
        .receive(
            (delivery, work) -> {
              seen.add(
                  work.dsl()
                      .fetchSingle(
                          "select concat_ws(' ', current_setting('statement_timeout'),"
                              + " current_setting('idle_in_transaction_session_timeout'))")
                      .into(String.class));
              work.dsl().execute("set statement_timeout = 0");
              work.dsl().execute("set idle_in_transaction_session_timeout = 0");
            });

    assertThat(seen).hasSize(4).containsOnly("40s 40s");
  }

  @Test
  void aNextDeliveryThatCannotBeTakenIsNotTheFailureOfTheOneBefore() {
    Row row =
        new Row(first) {
          @Override
          public @Nullable Delivery next() {
            Delivery next = super.next();
            if (next == null) {
              throw new IllegalStateException("made up");
            }
            return next;
          }
        };

    row.receive(this::effect);

    assertThat(row.receipts).hasSize(1).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(database.texts(ATTEMPTS)).containsExactly("0");
    assertThatThrownBy(() -> row.receive(this::effect)).hasMessage("made up");
  }

  @Test
  void whatWasProcessedBeforeIsADuplicateAlsoInBetween() {
    inbox.receive(second, InboxDatabase::effect);
    Row row = new Row(first, second, first, third, third);

    row.receive(this::effect);

    assertThat(row.receipts)
        .extracting(receipt -> receipt.getClass().getSimpleName())
        .containsExactly("Processed", "Duplicate", "Duplicate", "Processed", "Duplicate");
    assertThat(handled).containsExactly(first.id(), third.id());
    assertThat(database.effects()).containsExactly(second.id(), first.id(), third.id());
  }

  @Test
  void aSwallowedSqlErrorIsTheFailureOfItsMessageAndNothingOfTheNextOneHappens() {
    Row row = new Row(first, second, third);

    row.receive(
        (delivery, work) -> {
          effect(delivery, work);
          if (delivery == second) {
            try {
              work.dsl().execute("select 1/0");
            } catch (RuntimeException e) {
              // The mistake: PostgreSQL has aborted the transaction.
            }
          }
        });

    assertOnlyTheSecondHasFailed(row);
  }

  @Test
  void aConstraintThatFailsInTheCommitIsTheFailureOfItsMessageAndNothingOfTheNextOneHappens() {
    database.execute("create table once (number int unique deferrable initially deferred)");
    database.execute("insert into once values (2)");
    Row row = new Row(first, second, third);

    row.receive(
        (delivery, work) -> {
          effect(delivery, work);
          work.dsl().execute("insert into once values (?)", delivery == second ? 2 : 1);
        });

    assertOnlyTheSecondHasFailed(row);
  }

  private void assertOnlyTheSecondHasFailed(Row row) {
    assertThat(row.receipts).hasSize(2);
    assertThat(row.receipts.get(0)).isInstanceOf(Receipt.Processed.class);
    assertThat(row.receipts.get(1))
        .isInstanceOfSatisfying(
            Receipt.Failed.class, failed -> assertThat(failed.attempts()).isEqualTo(1));
    assertThat(handled).containsExactly(first.id(), second.id());
    assertThat(database.effects()).containsExactly(first.id());
    assertThat(database.texts("select message_id::text from twinbox.inbox"))
        .containsExactly(first.id());
    assertThat(database.texts("select message_id || ' ' || attempts from twinbox.inbox_failure"))
        .containsExactly(second.id() + " 1");
    assertThat(database.count(OPEN_TRANSACTIONS)).isZero();
  }

  private static final String OPEN_TRANSACTIONS =
      "select count(*) from pg_stat_activity where datname = current_database()"
          + " and state like 'idle in transaction%'";

  @Test
  void aSerializationFailureInTheCommitRunsItsMessageAgainAndCountsNothing() {
    // At the first commit of the second message.
    fail("effect", second, "deferrable initially deferred", "40001");
    Row row = new Row(first, second, third);

    row.receive(this::effect);

    assertThat(row.receipts).hasSize(3).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(handled).containsExactly(first.id(), second.id(), second.id(), third.id());
    assertThat(database.effects()).containsExactly(first.id(), second.id(), third.id());
    assertThat(database.count(ATTEMPTS)).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"40P01", "57014", "53100", "XX000"})
  void anErrorInTheNextOnesBeginningIsNotTheOneBefores(String state) {
    fail("twinbox.inbox", second, "", state);
    Row row = new Row(first, second, third);

    row.receive(this::effect);
    assertThat(row.receipts).hasSize(1);
    row.receive(this::effect);

    assertThat(row.receipts).hasSize(3).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(handled).containsExactly(first.id(), second.id(), third.id());
    assertThat(database.effects()).isEqualTo(handled);
    assertThat(database.count(ATTEMPTS)).isZero();
  }

  @Test
  void whereTheConnectionIsLostAfterTheCommitItsMessageIsRecognisedAndNotCounted() {
    endSessionAt("twinbox.inbox", second, "");
    Row row = new Row(first, second, third);

    assertThatThrownBy(() -> row.receive(this::effect))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(row.receipts).isEmpty(); // committed, but who knows
    assertThat(database.effects()).containsExactly(first.id());
    Row again = new Row(first, second, third);
    again.receive(this::effect);
    assertThat(again.receipts)
        .extracting(receipt -> receipt.getClass().getSimpleName())
        .containsExactly("Duplicate", "Processed", "Processed");
    assertThat(database.effects()).containsExactly(first.id(), second.id(), third.id());
    assertThat(database.count(ATTEMPTS)).isZero();
  }

  @Test
  void whereTheConnectionIsLostInTheCommitItsMessageIsHandledAgainAndNotCounted() {
    endSessionAt("effect", first, "deferrable initially deferred");
    Row row = new Row(first, second, third);

    assertThatThrownBy(() -> row.receive(this::effect))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(row.receipts).isEmpty();
    assertThat(database.effects()).isEmpty();
    Row again = new Row(first, second, third);
    again.receive(this::effect);
    assertThat(again.receipts).hasSize(3).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(first.id(), second.id(), third.id());
    assertThat(database.count(ATTEMPTS)).isZero();
  }

  @Test
  void whereNobodyCanTellWhetherItWasCommittedNothingIsCounted() {
    // What fails is the beginning of the next, and then the question.
    database.execute("create role blind login");
    database.execute("grant insert on effect to blind");
    database.execute("grant usage on sequence effect_number_seq to blind");
    database.execute("grant usage on schema twinbox to blind");
    database.execute("grant select, insert, update on all tables in schema twinbox to blind");
    database.execute("grant execute on all functions in schema twinbox to blind");
    database.execute("revoke select on twinbox.inbox from blind");
    fail("twinbox.inbox", second, "", "57014");
    database.execute("grant usage on sequence once to blind");
    Inbox blind = longChained("blind").dataSource(database.dataSource("blind")).build();
    Row row = new Row(first, second);

    assertThatThrownBy(() -> blind.receiveEach(row, this::effect, () -> true))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(row.receipts).isEmpty();
    assertThat(database.effects()).containsExactly(first.id());
    assertThat(database.count(ATTEMPTS)).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anotherConsumersTransactionIsWaitedForWithTheOneBeforeCommitted(boolean commits)
      throws Exception {
    Row row = new Row(first, second, third);
    Thread receiver = new Thread(() -> row.receive(this::effect));
    try (Connection other = database.dataSource().getConnection()) {
      other.setAutoCommit(false);
      inbox.receiveIn(
          other, second, (delivery, work) -> InboxDatabase.effect("other", "x", work.connection()));
      receiver.start();
      await().until(() -> database.effects().size() == 1);
      assertThat(row.receipts).isEmpty();
      if (commits) {
        other.commit();
      } else {
        other.rollback();
      }
    }
    receiver.join();

    assertThat(row.receipts)
        .extracting(receipt -> receipt.getClass().getSimpleName())
        .containsExactly("Processed", commits ? "Duplicate" : "Processed", "Processed");
    assertThat(database.effects())
        .containsExactlyInAnyOrder(first.id(), commits ? "other" : second.id(), third.id());
  }

  @Test
  void aWaitWithoutEndIsNotTheOneBefores() throws Exception {
    inbox.receive(delivery(), this::effect);
    try (Connection other = database.dataSource().getConnection()) {
      other.setAutoCommit(false);
      inbox.receiveIn(other, second, (delivery, work) -> {});
      Row row = new Row(first, second);

      strict.receiveEach(row, this::effect, () -> true);

      assertThat(row.receipts).hasSize(1).hasOnlyElementsOfType(Receipt.Processed.class);
      assertThat(database.effects()).hasSize(2).endsWith(first.id());
      assertThatThrownBy(() -> strict.receive(second, this::effect))
          .isInstanceOf(DatabaseUnavailableException.class);
      assertThat(database.count(ATTEMPTS)).isZero();
      other.rollback();
    }
  }

  @Test
  void aFailingHandlerEndsTheRowAndWhatFollowsIsUntouched() {
    Row row = new Row(first, second, third);

    row.receive(
        (delivery, work) -> {
          effect(delivery, work);
          if (delivery == second) {
            throw new IllegalStateException("No stock");
          }
        });

    assertOnlyTheSecondHasFailed(row);
    Row again = new Row(second.again(), third);
    again.receive(InboxDatabase::effect);
    assertThat(again.receipts).hasSize(2).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(first.id(), second.id(), third.id());
  }

  @Test
  void aHandlerThatIdlesBeyondItsSessionIsCountedAndTheOneBeforeIsNot() {
    Row row = new Row(first, second, third);

    strict.receiveEach(
        row,
        (delivery, work) -> {
          effect(delivery, work);
          if (delivery == second) {
            int session = work.dsl().fetchSingle("select pg_backend_pid()").into(int.class);
            await()
                .atMost(Duration.ofSeconds(30))
                .until(
                    () ->
                        database.count(
                                "select count(*) from pg_stat_activity where pid = " + session)
                            == 0);
          }
        },
        () -> true);

    assertOnlyTheSecondHasFailed(row);
  }

  @Test
  void onceTheCallerWantsNoMoreWhatIsBegunIsLeftAsItWas() {
    Row row = new Row(first, second, third);
    AtomicBoolean goOn = new AtomicBoolean(true);
    row.whenReceived = () -> goOn.set(false);

    inbox.receiveEach(row, this::effect, goOn::get);

    assertThat(row.receipts).hasSize(1).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(handled).containsExactly(first.id());
    assertThat(database.texts("select message_id::text from twinbox.inbox"))
        .containsExactly(first.id());
    assertThat(database.count(OPEN_TRANSACTIONS)).isZero();
    assertThat(inbox.receive(second, this::effect)).isInstanceOf(Receipt.Processed.class);
  }

  @Test
  void anInterruptMeantForOneHandlerDoesNotReachTheNext() {
    Row row = new Row(first, second);
    row.whenReceived = () -> Thread.currentThread().interrupt();

    row.receive(
        (delivery, work) -> {
          assertThat(Thread.currentThread().isInterrupted()).isFalse();
          effect(delivery, work);
        });

    assertThat(row.receipts).hasSize(2).hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(Thread.interrupted()).isTrue();
  }

  /** Its row was there before: it says nothing about the commit. */
  @Test
  void aMessageLetThroughThatFailsInItsCommitHasFailed() {
    inbox.receive(
        first,
        (delivery, work) -> {
          throw new UnprocessableException("Not yet");
        });
    database.execute(
        """
        insert into twinbox.inbox_pass (consumer_id, message_id, granted_by)
        select consumer_id, message_id, 'ops' from twinbox.inbox_dead_letter""");
    database.execute("create table once (number int unique deferrable initially deferred)");
    Row row = new Row(first, second);

    row.receive(
        (delivery, work) -> {
          effect(delivery, work);
          work.dsl().execute("insert into once values (1), (1)");
        });

    assertThat(row.receipts).hasSize(1).hasOnlyElementsOfType(Receipt.Failed.class);
    assertThat(database.effects()).isEmpty();
    assertThat(database.count("select count(*) from twinbox.inbox_pass")).isEqualTo(1);
  }

  @Test
  void oneConnectionIsEnoughWhateverComesInBetween() {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.jdbcUrl());
    config.setUsername(database.user());
    config.setMaximumPoolSize(1);
    config.setConnectionTimeout(2_000);
    Delivery expired = Messages.expiring(Messages.id(), Instant.EPOCH);
    try (HikariDataSource single = new HikariDataSource(config)) {
      Inbox narrow = longChained("narrow").dataSource(single).build();
      Row row =
          new Row(first, second.again(), third, expired, delivery(), delivery(null), delivery());

      narrow.receiveEach(row, this::effect, () -> true);

      assertThat(row.receipts)
          .extracting(receipt -> receipt.getClass().getSimpleName())
          .containsExactly(
              "Processed",
              "Processed",
              "Processed",
              "Expired",
              "Processed",
              "Quarantined",
              "Processed");
      assertThat(handled).hasSize(5);
      assertThat(database.effects()).isEqualTo(handled);
    }
  }

  @Test
  void aConnectionGoesBackToItsPoolWhileMessagesKeepComing() {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.jdbcUrl());
    config.setUsername(database.user());
    config.setMaximumPoolSize(1);
    config.setConnectionTimeout(10_000); // the messages keep coming for longer
    AtomicInteger others = new AtomicInteger();
    AtomicInteger waiting = new AtomicInteger();
    try (HikariDataSource single = new HikariDataSource(config)) {
      Inbox narrow = database.inbox("narrow").dataSource(single).build();
      Thread other =
          new Thread(
              () -> {
                waiting.incrementAndGet();
                try (Connection ignored = single.getConnection()) {
                  others.incrementAndGet();
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });

      narrow.receiveEach(
          new Endless(),
          (delivery, work) -> {
            if (waiting.get() == 0 && other.getState() == Thread.State.NEW) {
              other.start();
            }
          },
          () -> others.get() == 0);

      assertThat(others).hasValue(1);
    }
  }

  /** What some set in the driver's address: savepoints of its own around each statement. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "autosave=always",
        "autosave=always&cleanupSavepoints=true",
        "autosave=conservative&cleanupSavepoints=true",
        "preferQueryMode=simple",
        "preferQueryMode=extendedForPrepared",
        "prepareThreshold=0",
        "prepareThreshold=1",
      })
  void theDriversOwnSettingsChangeNothing(String setting) {
    HikariConfig config = new HikariConfig();
    String url = database.jdbcUrl();
    config.setJdbcUrl(url + (url.contains("?") ? "&" : "?") + setting);
    config.setUsername(database.user());
    config.setMaximumPoolSize(1);
    fail("twinbox.inbox", third, "", "40P01");
    try (HikariDataSource source = new HikariDataSource(config)) {
      Inbox set = longChained("set").dataSource(source).build();
      Delivery[] many = new Delivery[30];
      Arrays.setAll(many, i -> i == 20 ? third : i % 7 == 3 ? delivery().again() : delivery());
      Row row = new Row(many);

      while (row.receipts.size() < 30) {
        set.receiveEach(row.giveBack(), this::effect, () -> true);
      }

      assertThat(row.receipts).hasSize(30).hasOnlyElementsOfType(Receipt.Processed.class);
      assertThat(handled).hasSize(30);
      assertThat(database.effects()).isEqualTo(handled);
      assertThat(database.count(ATTEMPTS)).isZero();
    }
  }

  /** However slow the machine is. */
  private Inbox.Builder longChained(String consumer) {
    return database.inbox(consumer).longestPipeline(Duration.ofMinutes(1));
  }

  private void effect(Delivery delivery, InboxTransaction work) throws SQLException {
    handled.add(String.valueOf(delivery.id()));
    InboxDatabase.effect(delivery, work);
  }

  /** Lets the table's first row of the message fail. */
  private void fail(String table, Delivery message, String when, String state) {
    atFirstRowOf(
        table, message, when, "raise exception 'Planted' using errcode = '%s';".formatted(state));
  }

  private void endSessionAt(String table, Delivery message, String when) {
    atFirstRowOf(table, message, when, "perform pg_terminate_backend(pg_backend_pid(), 0);");
  }

  private void atFirstRowOf(String table, Delivery message, String when, String statement) {
    database.execute("create sequence once"); // not rolled back
    database.execute(
        """
        create function planted() returns trigger language plpgsql as $$
        begin
          if nextval('once') = 1 then %s end if;
          return null;
        end $$"""
            .formatted(statement));
    for (Map.Entry<String, String> column :
        Map.of("twinbox.inbox", "message_id", "effect", "id").entrySet()) {
      if (column.getKey().equals(table)) {
        database.execute(
            "create %s trigger planted after insert on %s %s for each row when (new.%s = '%s')"
                    .formatted(
                        when.isEmpty() ? "" : "constraint",
                        table,
                        when,
                        column.getValue(),
                        message.id())
                + " execute function planted()");
      }
    }
  }

  /** Deliveries in hand, and what was said of them. */
  private class Row implements DeliverySource {
    private final Deque<Delivery> coming = new ArrayDeque<>();
    private final Deque<Delivery> taken = new ArrayDeque<>();
    final List<Receipt> receipts = Collections.synchronizedList(new ArrayList<>());
    Runnable whenReceived = () -> {};

    Row(Delivery... deliveries) {
      coming.addAll(List.of(deliveries));
    }

    void receive(Handler handler) {
      inbox.receiveEach(giveBack(), handler, () -> true);
    }

    /** Puts what was taken and not received before the others. */
    Row giveBack() {
      while (!taken.isEmpty()) {
        coming.addFirst(taken.removeLast());
      }
      return this;
    }

    @Override
    public @Nullable Delivery next() {
      Delivery next = coming.pollFirst();
      if (next != null) {
        taken.addLast(next);
      }
      return next;
    }

    @Override
    public void received(Receipt receipt) {
      taken.removeFirst();
      receipts.add(receipt);
      whenReceived.run();
    }
  }

  /** A pile that outlasts all patience. */
  private static final class Endless implements DeliverySource {
    private final long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();

    @Override
    public @Nullable Delivery next() {
      return System.nanoTime() - end < 0 ? delivery() : null;
    }

    @Override
    public void received(Receipt receipt) {}
  }
}
