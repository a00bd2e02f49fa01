package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * PostgreSQL gives the id of a transaction again after a crash, as long as nothing of it was on
 * disk: that an id is committed does not say that it was ours.
 */
@Timeout(120)
class ReusedTransactionIdTest {
  private static final TestPostgres server =
      TestPostgres.builder().setting("wal_writer_delay", "10s").start();
  private static final InboxDatabase database = InboxDatabase.on(server);

  @AfterAll
  static void close() {
    database.close();
    server.close();
  }

  @Test
  void aMessageWhoseTransactionWasCutOffByACrashIsHandledAgain() {
    AtomicLong cutOff = new AtomicLong();
    Delivery delivery = delivery();
    Inbox inbox = database.inbox("billing").build();

    assertThatThrownBy(
            () ->
                inbox.receive(
                    delivery,
                    (received, work) -> {
                      InboxDatabase.effect(received, work);
                      cutOff.set(
                          work.dsl()
                              .fetchSingle("select pg_current_xact_id()::text::bigint")
                              .into(Long.class));
                      server.stopImmediately();
                      server.restart();
                      giveAgain(cutOff.get());
                      work.dsl().execute("select 1");
                    }))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(inbox.receive(delivery, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsOnlyOnce(String.valueOf(delivery.id()));
    assertThat(database.count("select count(*) from twinbox.inbox_dead_letter")).isZero();
  }

  /** Its commit was sent, and nothing of it had reached the disk. */
  @Test
  void aRunnersCommitThatACrashHasErasedIsNoCommit() {
    AtomicLong erased = new AtomicLong();
    Delivery delivery = delivery();
    TransactionRunner erasedOnce =
        work -> {
          try (Connection connection = database.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            work.on(connection);
            if (erased.get() != 0) {
              connection.commit();
              return;
            }
            try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select pg_current_xact_id()::text")) {
              row.next();
              erased.set(row.getLong(1));
            }
            server.stopImmediately();
            server.restart();
            giveAgain(erased.get());
            connection.commit();
          } catch (SQLException e) {
            throw new IllegalStateException("The commit failed", e);
          }
        };
    Inbox inbox = database.inbox("shipping").transactions(erasedOnce).build();

    assertThatThrownBy(() -> inbox.receive(delivery, InboxDatabase::effect))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(inbox.receive(delivery, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsOnlyOnce(String.valueOf(delivery.id()));
  }

  private static void giveAgain(long xid) {
    long given = 0;
    for (int i = 0; i < 10_000 && given < xid; i++) {
      given = database.count("select pg_current_xact_id()::text::bigint");
    }
    assertThat(given).as("the id was not given again").isEqualTo(xid);
  }
}
