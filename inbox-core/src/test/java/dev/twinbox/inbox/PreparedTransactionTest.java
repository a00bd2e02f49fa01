package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.testkit.TestPostgres;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A handler that prepares the inbox's transaction past the guard, whatever becomes of it then:
 * nothing is acknowledged that was not handled.
 */
@Timeout(120)
class PreparedTransactionTest {
  private static final TestPostgres server =
      TestPostgres.builder().setting("max_prepared_transactions", "5").start();
  private static final InboxDatabase database = InboxDatabase.on(server);

  private final AtomicReference<@Nullable Connection> leaked = new AtomicReference<>();
  private final Inbox inbox = database.inbox("billing").dataSource(leaking()).build();

  @BeforeEach
  void empty() {
    database.execute(
        "truncate effect, twinbox.inbox, twinbox.inbox_failure, twinbox.inbox_dead_letter,"
            + " twinbox.inbox_redrive, twinbox.inbox_pass");
  }

  @AfterAll
  static void close() {
    database.close();
    server.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "prepare transaction 'p'",
        "prepare transaction 'p'; begin",
        "prepare transaction 'p'|rollback prepared 'p'",
        "prepare transaction 'p'; begin|rollback prepared 'p'",
      })
  void oneThatIsRolledBackIsAFailureAndTheMessageIsHandledNextTime(String texts) {
    List<Delivery> batch = List.of(delivery(), delivery(), delivery());

    List<Receipt> receipts = inbox.receiveAll(batch, ending(batch.get(1), texts));

    assertThat(receipts.get(0)).isInstanceOf(Receipt.Processed.class);
    assertThat(receipts.get(1)).isInstanceOf(Receipt.Failed.class);
    assertThat(receipts.get(2)).isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).containsExactly(batch.get(0).id(), batch.get(2).id());
    assertThat(database.count("select count(*) from pg_prepared_xacts")).isZero();
    assertThat(inbox.receive(batch.get(1).again(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(database.effects()).hasSize(3).doesNotHaveDuplicates();
  }

  @Test
  void oneThatIsCommittedPutsItsMessageIntoQuarantineAndItsNeighboursAreHandledOnce() {
    List<Delivery> batch = List.of(delivery(), delivery(), delivery());

    List<Receipt> receipts =
        inbox.receiveAll(
            batch, ending(batch.get(1), "prepare transaction 'p'|commit prepared 'p'"));

    assertThat(receipts)
        .extracting(receipt -> receipt.getClass().getSimpleName())
        .containsExactly("Processed", "Quarantined", "Processed");
    assertThat(database.effects())
        .containsExactlyElementsOf(batch.stream().map(Delivery::id).toList());
    assertThat(database.quarantined()).containsExactly("transaction-ended");
  }

  /** Writes the message's effect; for one message then runs two texts, the second elsewhere. */
  private Handler ending(Delivery rogue, String texts) {
    String[] parts = texts.split("\\|", -1);
    return (delivery, work) -> {
      InboxDatabase.effect(delivery, work);
      if (String.valueOf(rogue.id()).equals(delivery.id())) {
        try (Statement statement = Objects.requireNonNull(leaked.get()).createStatement()) {
          statement.execute(parts[0]);
        }
        if (parts.length > 1) {
          database.execute(parts[1]);
        }
      }
    };
  }

  private DataSource leaking() {
    DataSource pool = database.dataSource();
    return (DataSource)
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
  }
}
