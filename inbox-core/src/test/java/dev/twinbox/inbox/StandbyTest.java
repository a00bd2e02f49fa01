package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is acknowledged is on the synchronous standby: a failover does not erase it. */
@Timeout(120)
class StandbyTest {
  private static final String WAITING =
      "from pg_stat_activity where datname = current_database() and wait_event = 'SyncRep'";
  private static final TestPostgres server = TestPostgres.start();
  private static final InboxDatabase database = InboxDatabase.on(server);
  private static final ExecutorService threads = Executors.newCachedThreadPool();

  private final Inbox inbox =
      database
          .inbox("billing")
          .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(1))
          .build();

  @AfterAll
  static void close() {
    threads.shutdownNow();
    database.close();
    server.close();
  }

  @Test
  void nothingIsAcknowledgedWhoseCommitIsNotOnTheStandby() {
    Delivery ordinary = delivery();
    List<Delivery> batch = List.of(delivery(), delivery());
    List<Delivery> row = List.of(delivery(), delivery());
    Delivery poison = delivery();
    Delivery expired = Messages.expiring(Messages.id(), Instant.EPOCH);
    List<Receipt> settled = new ArrayList<>();
    inbox.receive(delivery(), InboxDatabase::effect); // registers the consumer
    List<Supplier<@Nullable Object>> ways =
        List.of(
            () -> inbox.receive(ordinary, InboxDatabase::effect),
            () -> inbox.receiveAll(batch, InboxDatabase::effect),
            () -> receiveEach(row, settled),
            () -> inbox.receive(expired, InboxDatabase::effect),
            () ->
                inbox.receive(
                    poison,
                    (delivery, work) -> {
                      throw new UnprocessableException("made up");
                    }));

    standbys("nobody");
    ways.forEach(this::isNotAcknowledgedWhenTheWaitIsCancelled);
    // Committed here, but who knows where else: the duplicate waits as the first one did.
    ways.forEach(this::isNotAcknowledgedWhenTheWaitIsCancelled);

    assertThat(settled).isEmpty();
    standbys("");
    assertThat(inbox.receive(ordinary, InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(inbox.receiveAll(batch, InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Duplicate.class);
    receiveEach(row, settled);
    assertThat(settled.get(0)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(settled.get(1)).isInstanceOf(Receipt.Processed.class);
    assertThat(database.count("select count(*) from effect")).isEqualTo(6);
    assertThat(database.count("select count(distinct id) from effect")).isEqualTo(6);
  }

  @Test
  void aDuplicateInACallersTransactionWaitsForTheStandbyToo() throws SQLException {
    Delivery message = delivery();
    inbox.receive(message, InboxDatabase::effect);
    standbys("nobody");
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      assertThat(inbox.receiveIn(connection, message, InboxDatabase::effect))
          .isInstanceOf(Receipt.Duplicate.class);
      CompletableFuture<Void> committing =
          CompletableFuture.runAsync(
              () -> {
                try {
                  connection.commit();
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              },
              threads);
      await().until(() -> database.count("select count(*) " + WAITING) == 1);
      standbys("");
      committing.join();
    }
  }

  /** A warning of the user's own, said in the commit, is none about the standby. */
  @Test
  void otherWarningsDoNotMatter() {
    database.execute(
        """
        create function warn() returns trigger language plpgsql as $$
        begin raise warning 'Low stock'; return null; end $$""");
    database.execute(
        """
        create constraint trigger warn after insert on effect deferrable initially deferred
        for each row execute function warn()""");

    assertThat(inbox.receive(delivery(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);

    database.execute("drop trigger warn on effect");
  }

  private void isNotAcknowledgedWhenTheWaitIsCancelled(Supplier<@Nullable Object> way) {
    CompletableFuture<@Nullable Object> receiving = CompletableFuture.supplyAsync(way, threads);
    await().until(() -> database.count("select count(*) " + WAITING) == 1);
    database.execute("select pg_cancel_backend(pid) " + WAITING);

    assertThatThrownBy(receiving::join)
        .hasCauseInstanceOf(DatabaseUnavailableException.class)
        .hasMessageContaining("standby");
  }

  private @Nullable Object receiveEach(List<Delivery> row, List<Receipt> settled) {
    Deque<Delivery> coming = new ArrayDeque<>(row);
    inbox.receiveEach(
        new DeliverySource() {
          @Override
          public @Nullable Delivery next() {
            return coming.poll();
          }

          @Override
          public void received(Receipt receipt) {
            settled.add(receipt);
          }
        },
        InboxDatabase::effect,
        () -> true);
    return null;
  }

  private static void standbys(String names) {
    database.execute("alter system set synchronous_standby_names = '" + names + "'");
    database.execute("select pg_reload_conf()");
    await()
        .until(
            () ->
                database.count(
                        "select count(*) from pg_settings where name = 'synchronous_standby_names'"
                            + " and setting = '"
                            + names
                            + "'")
                    == 1);
  }
}
