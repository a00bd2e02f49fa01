package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import java.io.StringReader;
import java.lang.reflect.Proxy;
import java.sql.Array;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DefaultConnectionProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.core.BaseConnection;
import org.postgresql.jdbc.PgConnection;

/** A handler that ends the inbox's transaction does not make a message of another one be lost. */
@Timeout(120)
class TransactionEndTest {
  private static final InboxDatabase database = InboxDatabase.create();

  private final AtomicReference<@Nullable Connection> leaked = new AtomicReference<>();
  private final Inbox inbox = leaking("billing").build();

  @BeforeEach
  void empty() {
    database.execute(
        "truncate effect, twinbox.inbox, twinbox.inbox_failure, twinbox.inbox_dead_letter,"
            + " twinbox.inbox_redrive, twinbox.inbox_pass");
  }

  @AfterAll
  static void close() {
    database.close();
  }

  /** The ways to a commit or rollback that start at what a handler is given. */
  enum Way {
    STATEMENT((work, text) -> work.connection().createStatement().execute(text)),
    PREPARED((work, text) -> work.connection().prepareStatement(text).execute()),
    CALL((work, text) -> work.connection().prepareCall(text).execute()),
    BATCH((work, text) -> work.connection().createStatement().addBatch(text)),
    UPDATE((work, text) -> work.connection().createStatement().executeLargeUpdate(text)),
    JOOQ((work, text) -> work.dsl().execute(text)),
    JOOQ_CONNECTION((work, text) -> work.dsl().connection(c -> c.createStatement().execute(text))),
    JOOQ_PROVIDER(
        (work, text) -> {
          Connection acquired = work.dsl().configuration().connectionProvider().acquire();
          Objects.requireNonNull(acquired).createStatement().execute(text);
        }),
    DRIVER((work, text) -> work.connection().unwrap(BaseConnection.class).execSQLUpdate(text)),
    STATEMENTS_CONNECTION(
        (work, text) -> work.connection().createStatement().getConnection().commit()),
    PREPARED_STATEMENTS_CONNECTION(
        (work, text) -> work.connection().prepareStatement("select 1").getConnection().commit()),
    CALLABLE_STATEMENTS_CONNECTION(
        (work, text) -> {
          try (CallableStatement call = work.connection().prepareCall("select 1")) {
            call.getConnection().rollback();
          }
        }),
    RESULTS_CONNECTION(
        (work, text) -> {
          try (ResultSet rows = work.connection().createStatement().executeQuery("select 1")) {
            rows.getStatement().getConnection().commit();
          }
        }),
    ARRAYS_CONNECTION(
        (work, text) -> {
          try (ResultSet rows =
              work.connection().createStatement().executeQuery("select array[1, 2]")) {
            rows.next();
            rows.getArray(1).getResultSet().getStatement().getConnection().commit();
          }
        }),
    OBJECTS_CONNECTION(
        (work, text) -> {
          try (ResultSet rows =
              work.connection().createStatement().executeQuery("select array[1, 2]")) {
            rows.next();
            ((Array) rows.getObject(1)).getResultSet().getStatement().getConnection().rollback();
          }
        }),
    METADATAS_CONNECTION(
        (work, text) -> work.connection().getMetaData().getConnection().setAutoCommit(true)),
    METADATAS_RESULT(
        (work, text) -> {
          try (ResultSet rows = work.connection().getMetaData().getSchemas()) {
            rows.getStatement().getConnection().commit();
          }
        }),
    GENERATED_KEYS(
        (work, text) -> {
          try (PreparedStatement insert =
              work.connection()
                  .prepareStatement(
                      "insert into effect (id) values ('key')", Statement.RETURN_GENERATED_KEYS)) {
            insert.executeUpdate();
            insert.getGeneratedKeys().getStatement().getConnection().commit();
          }
        }),
    UNWRAPPED_TO_CONNECTION(
        (work, text) -> work.connection().unwrap(Connection.class).setReadOnly(true)),
    UNWRAPPED_TO_AN_INTERFACE(
        (work, text) -> work.connection().unwrap(BaseConnection.class).commit()),
    UNWRAPPED_TO_THE_DRIVER((work, text) -> work.connection().unwrap(PgConnection.class).commit()),
    JOOQ_DEFAULT_PROVIDER(
        (work, text) ->
            ((DefaultConnectionProvider) work.dsl().configuration().connectionProvider()).commit()),
    JOOQ_COMMIT((work, text) -> DSL.using(work.dsl().configuration()).commit().execute());

    interface Ending {
      void tryIt(InboxTransaction work, String text) throws SQLException;
    }

    private final Ending ending;

    Way(Ending ending) {
      this.ending = ending;
    }
  }

  @ParameterizedTest
  @EnumSource(Way.class)
  void whatAHandlerReachesDoesNotEndTheTransaction(Way way) {
    List<Delivery> batch = List.of(delivery(), delivery(), delivery());

    List<Receipt> receipts =
        inbox.receiveAll(
            batch,
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              if (delivery == batch.get(1)) {
                way.ending.tryIt(work, "commit");
              }
            });

    assertThat(receipts.get(1)).isInstanceOf(Receipt.Failed.class);
    assertThat(receipts.get(0)).isInstanceOf(Receipt.Processed.class);
    assertThat(receipts.get(2)).isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(batch.get(0).id(), batch.get(2).id());
    assertThat(database.count("select count(*) from twinbox.inbox")).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "COMMIT",
        "  commit work ;",
        "-- a comment\ncommit",
        "/* one /* in another */ */ end",
        "abort",
        "rollback",
        "rollback transaction",
        "rollback and chain",
        "commit and chain",
        "commit; begin",
        "insert into effect (id) values ('x;y'); end transaction",
        "insert into effect (id) values (E'x\\';'); commit",
        "insert into effect (id) values ($q$;commit$q$);commit",
        "select 1 as \"a;\" /* ; */; rollback; begin",
        "prepare transaction 'x'",
        ";;commit",
      })
  void aTextThatEndsTheTransactionIsRefusedBeforeTheDatabaseSeesIt(String text) {
    Delivery message = delivery();

    Receipt receipt = inbox.receive(message, (delivery, work) -> way(work).execute(text));

    assertThat(receipt)
        .isInstanceOfSatisfying(
            Receipt.Failed.class,
            failed ->
                assertThat(failed.error())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("savepoint"));
    assertThat(database.effects()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "savepoint a; insert into effect (id) values ('x'); rollback to a",
        "savepoint a; rollback work to savepoint a; release a",
        "insert into effect (id) values (';commit')",
        "insert into effect (id) values ($$;commit;$$)",
        "insert into effect (id) values ('it''s; commit')",
        "select 1 as \"; commit\" -- ; commit",
        "select 1 /* ; commit */",
        "prepare transaction as select 1; deallocate transaction",
        "create or replace function f() returns int begin atomic select 1; end",
        "do $$ begin perform 1; end $$",
        "create table commit_log (\"end\" int); drop table commit_log",
      })
  void whatOnlyLooksLikeItIsNotRefused(String text) {
    assertThat(inbox.receive(delivery(), (delivery, work) -> way(work).execute(text)))
        .isInstanceOf(Receipt.Processed.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"do $$ begin commit; end $$", "call ending()"})
  void aProcedureCannotEndIt(String text) {
    database.execute(
        "create or replace procedure ending() language plpgsql as $$ begin rollback; end $$");
    List<Delivery> batch = List.of(delivery(), delivery());

    List<Receipt> receipts =
        inbox.receiveAll(
            batch,
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              if (delivery == batch.get(0)) {
                way(work).execute(text);
              }
            });

    assertThat(receipts.get(0)).isInstanceOf(Receipt.Failed.class);
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(batch.get(1).id());
  }

  @Test
  void theDriversOwnInterfacesCanBeUsed() {
    assertThat(
            inbox.receive(
                delivery(),
                (delivery, work) -> {
                  Connection connection = work.connection();
                  PGConnection driver = connection.unwrap(PGConnection.class);
                  assertThat(driver.getBackendPID()).isPositive();
                  new CopyManager(connection.unwrap(BaseConnection.class))
                      .copyIn("copy effect (id) from stdin", new StringReader("a\nb\n"));
                  assertThat(connection.isWrapperFor(PGConnection.class)).isTrue();
                  assertThat(connection.isWrapperFor(PgConnection.class)).isFalse();
                  try (PreparedStatement insert =
                      connection.prepareStatement(
                          "insert into effect (id) select unnest(?::text[])")) {
                    assertThat(insert.getConnection()).isSameAs(connection).isEqualTo(connection);
                    insert.setArray(1, connection.createArrayOf("text", new Object[] {"c"}));
                    insert.execute();
                  }
                  try (Statement select = connection.createStatement();
                      ResultSet rows = select.executeQuery("select array['d']")) {
                    assertThat(rows.getStatement()).isSameAs(select);
                    rows.next();
                    try (PreparedStatement insert =
                        connection.prepareStatement(
                            "insert into effect (id) select unnest(?::text[])")) {
                      insert.setArray(1, rows.getArray(1));
                      insert.execute();
                    }
                  }
                }))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly("a", "b", "c", "d");
  }

  @ParameterizedTest
  @ValueSource(strings = {"commit", "commit; begin", "commit and chain", "select 1; commit"})
  void aCommitByAWayThatIsNotBarredPutsItsMessageIntoQuarantine(String text) {
    Delivery message = delivery();

    Receipt receipt =
        inbox.receive(
            message,
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              pastTheGuard(text);
              InboxDatabase.effect("behind", "handler", work.connection());
            });

    assertThat(receipt).isEqualTo(new Receipt.Quarantined(QuarantineReason.TRANSACTION_ENDED, 1));
    assertThat(database.effects()).containsExactly(message.id());
    assertThat(database.quarantined()).containsExactly("transaction-ended");
    assertThat(inbox.receive(message.again(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.effects()).containsExactly(message.id());
  }

  @Test
  void aCommitThatIsFollowedByAFailureIsNotTriedAgain() {
    Delivery message = delivery();

    Receipt receipt =
        inbox.receive(
            message,
            (delivery, work) -> {
              InboxDatabase.effect(delivery, work);
              pastTheGuard("commit; begin");
              throw new IllegalStateException("made up");
            });

    assertThat(receipt).isInstanceOf(Receipt.Quarantined.class);
    assertThat(database.texts("select error from twinbox.inbox_dead_letter").get(0))
        .contains("made up");
    assertThat(database.effects()).containsExactly(message.id());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rollback", "rollback; begin", "rollback and chain"})
  void aRollbackByAWayThatIsNotBarredIsAFailure(String text) {
    List<Delivery> batch = List.of(delivery(), delivery(), delivery());

    List<Receipt> receipts = inbox.receiveAll(batch, ending(batch.get(1), text));

    assertThat(receipts.get(0)).isInstanceOf(Receipt.Processed.class);
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Failed.class);
    assertThat(receipts.get(2)).isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(batch.get(0).id(), batch.get(2).id());
    assertThat(database.count("select count(*) from twinbox.inbox")).isEqualTo(2);
  }

  @Test
  void theNeighboursOfAMessageWhoseHandlerCommitsAreHandledOnce() {
    List<Delivery> batch = List.of(delivery().again(), delivery(), delivery().again(), delivery());

    List<Receipt> receipts = inbox.receiveAll(batch, ending(batch.get(1), "commit"));

    assertThat(receipts)
        .extracting(receipt -> receipt.getClass().getSimpleName())
        .containsExactly("Processed", "Quarantined", "Processed", "Processed");
    assertThat(database.effects())
        .containsExactlyElementsOf(batch.stream().map(Delivery::id).toList());
    assertThat(database.quarantined()).containsExactly("transaction-ended");
    assertThat(database.count("select count(*) from twinbox.inbox_pass")).isZero();
    assertThat(database.count("select count(*) from twinbox.inbox_failure")).isZero();
  }

  /** Committed and begun anew: who of the batch has done it cannot be told. */
  @Test
  void whoseEffectsAreNotKnownLiesInQuarantine() {
    List<Delivery> batch = List.of(delivery(), delivery(), delivery());

    List<Receipt> receipts = inbox.receiveAll(batch, ending(batch.get(1), "commit; begin"));

    assertThat(receipts).hasOnlyElementsOfType(Receipt.Quarantined.class);
    assertThat(database.quarantined()).hasSize(3).containsOnly("transaction-ended");
    assertThat(inbox.receive(batch.get(2).again(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"commit", "commit; begin"})
  void receivedOneByOneTheNextMessageIsNotTouched(String text) {
    List<Delivery> row = List.of(delivery(), delivery(), delivery(), delivery());
    List<Receipt> receipts = new ArrayList<>();
    Deque<Delivery> coming = new ArrayDeque<>(row);

    while (receipts.size() < row.size()) {
      coming.clear();
      coming.addAll(row.subList(receipts.size(), row.size()));
      inbox.receiveEach(
          new DeliverySource() {
            @Override
            public @Nullable Delivery next() {
              return coming.poll();
            }

            @Override
            public void received(Receipt receipt) {
              receipts.add(receipt);
            }
          },
          ending(row.get(1), text),
          () -> true);
    }

    assertThat(receipts)
        .extracting(receipt -> receipt.getClass().getSimpleName())
        .containsExactly("Processed", "Quarantined", "Processed", "Processed");
    assertThat(database.effects())
        .containsExactlyElementsOf(row.stream().map(Delivery::id).toList());
  }

  @Test
  void aConnectionThatIsLostBehindTheCommitHidesNothing() {
    Delivery message = delivery();
    Handler rogue =
        (delivery, work) -> {
          InboxDatabase.effect(delivery, work);
          int session = work.dsl().fetchSingle("select pg_backend_pid()").into(int.class);
          pastTheGuard("commit");
          database.execute("select pg_terminate_backend(" + session + ", 5000)");
          work.dsl().selectOne().fetch();
        };

    assertThatThrownBy(() -> inbox.receiveAll(List.of(message, delivery()), rogue))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(database.quarantined()).isEmpty();
    inbox.receive(delivery(), InboxDatabase::effect);
    assertThat(database.quarantined()).containsExactly("transaction-ended", "transaction-ended");
    assertThat(database.count("select count(*) from twinbox.inbox_pass")).isEqualTo(1);
  }

  @Test
  void aRedrivenMessageWhoseHandlerCommitsGoesBackToQuarantine() {
    Delivery message = delivery();
    inbox.receive(
        message,
        (delivery, work) -> {
          throw new UnprocessableException("Not yet");
        });
    Quarantine quarantine = Quarantine.of(database.dataSource(), "twinbox");

    quarantine.redrive(Selection.all(), Act.by("ops"));
    try (InboxRedriver redriver = inbox.redriver(ending(message, "commit; begin"))) {
      redriver.runOnce();
    }

    assertThat(database.quarantined()).containsExactly("transaction-ended");
    quarantine.redrive(Selection.all(), Act.by("ops"));
    try (InboxRedriver redriver = inbox.redriver(InboxDatabase::effect)) {
      redriver.runOnce();
    }
    assertThat(database.quarantined()).isEmpty();
    assertThat(database.effects()).containsExactly(message.id(), message.id());
  }

  @Test
  void inACallersTransactionItIsRefused() throws SQLException {
    Delivery message = delivery();
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      assertThatThrownBy(
              () ->
                  inbox.receiveIn(
                      connection,
                      message,
                      (delivery, work) -> work.connection().createStatement().execute("commit")))
          .isInstanceOf(IllegalStateException.class);
      connection.rollback();
      assertThatThrownBy(
              () ->
                  inbox.receiveIn(
                      connection,
                      message,
                      (delivery, work) -> {
                        InboxDatabase.effect(delivery, work);
                        connection.commit();
                      }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("quarantine");
      connection.rollback();
    }
    assertThat(database.quarantined()).containsExactly("transaction-ended");
    Delivery other = delivery();
    assertThatThrownBy(
            () ->
                DSL.using(database.dataSource(), SQLDialect.POSTGRES)
                    .transaction(
                        work ->
                            inbox.receiveIn(
                                work.dsl(),
                                other,
                                (delivery, own) -> own.dsl().execute("rollback"))))
        .isInstanceOf(IllegalStateException.class);
    assertThat(inbox.receive(other, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
  }

  private static Statement way(InboxTransaction work) throws SQLException {
    return work.connection().createStatement();
  }

  /** Writes the message's effect; for one message it then ends the transaction. */
  private Handler ending(Delivery rogue, String text) {
    return (delivery, work) -> {
      InboxDatabase.effect(delivery, work);
      if (String.valueOf(rogue.id()).equals(delivery.id())) {
        pastTheGuard(text);
      }
    };
  }

  private void pastTheGuard(String text) throws SQLException {
    try (Statement statement = Objects.requireNonNull(leaked.get()).createStatement()) {
      statement.execute(text);
    }
  }

  /** From a pool whose connections a handler finds elsewhere. */
  private Inbox.Builder leaking(String consumer) {
    DataSource pool = database.dataSource();
    DataSource leaking =
        (DataSource)
            Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {DataSource.class},
                (self, method, args) -> {
                  Object result = method.invoke(pool, args);
                  if (result instanceof Connection connection) {
                    leaked.set(connection);
                  }
                  return result;
                });
    return database.inbox(consumer).dataSource(leaking);
  }
}
