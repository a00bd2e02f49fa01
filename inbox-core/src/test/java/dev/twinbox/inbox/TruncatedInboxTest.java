package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cleaners of tests empty all tables under a running consumer. */
class TruncatedInboxTest {
  private static final Handler POISON =
      (delivery, work) -> {
        throw new UnprocessableException("Poison");
      };

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox billing = database.inbox("billing").build();
  private final Inbox shipping = database.inbox("shipping").build();

  @AfterEach
  void close() {
    database.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "truncate %s cascade",
        "truncate %s restart identity cascade",
        "set session_replication_role = replica; delete from %s"
      })
  void whatRunsGoesOnByItself(String cleaner) throws SQLException {
    Delivery before = delivery();
    assertThat(billing.receive(before, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(shipping.receive(before, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    InboxRedriver redriver = billing.redriver(InboxDatabase::effect);
    assertThat(redriver.runOnce()).isZero();

    clean(cleaner);

    // The order is another one now than at the first registration.
    Delivery poison = delivery();
    eventually(shipping, poison, POISON, Receipt.Quarantined.class);
    eventually(billing, poison, POISON, Receipt.Quarantined.class);
    Delivery after = delivery();
    assertThat(billing.receive(after, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(shipping.receive(after, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(billing.receive(after, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);

    Quarantine quarantine = Quarantine.of(database.dataSource(), "twinbox");
    assertThat(quarantine.list(Selection.all())).hasSize(2);
    quarantine.redrive(Selection.all().consumer("billing"), Act.by("test"));
    assertThat(redriver.runOnce()).isEqualTo(1);

    clean(cleaner);

    assertThat(billing.upkeep().runOnce().daysMade()).isEqualTo(1);
    assertThat(billing.upkeep().keptFor()).hasDays(7);
    assertThat(database.count("select count(*) from twinbox.inbox_day")).isPositive();
    Inbox restarted = database.inbox("a new one").build();
    assertThat(restarted.receive(after, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
  }

  /** Fails at most once, because of what is remembered of the time before. */
  private static void eventually(
      Inbox inbox, Delivery delivery, Handler handler, Class<? extends Receipt> receipt) {
    try {
      assertThat(inbox.receive(delivery, handler)).isInstanceOf(receipt);
    } catch (DatabaseUnavailableException e) {
      assertThat(inbox.receive(delivery.again(), handler)).isInstanceOf(receipt);
    }
  }

  private void clean(String cleaner) {
    List<String> tables =
        database.texts(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname ="
                + " 'twinbox' and tablename like 'inbox%'");
    if (cleaner.contains("delete")) {
      tables.forEach(table -> database.execute(cleaner.formatted(table)));
    } else {
      database.execute(cleaner.formatted(String.join(", ", tables)));
    }
  }
}
