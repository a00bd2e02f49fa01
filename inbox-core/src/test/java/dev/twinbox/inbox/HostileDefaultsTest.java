package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.migrations.Migrations;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A role whose transactions are serializable, repeatable or read-only unless they say otherwise.
 */
class HostileDefaultsTest {
  private final InboxDatabase database = InboxDatabase.create();

  @AfterEach
  void close() {
    database.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "default_transaction_isolation = 'serializable'",
        "default_transaction_isolation = 'repeatable read'",
        "default_transaction_read_only = on",
        "default_transaction_isolation = 'serializable'; default_transaction_read_only = on;"
            + " default_transaction_deferrable = on"
      })
  void everyTransactionIsReadCommittedAndMayWriteByItsOwnWord(String defaults) throws Exception {
    String role = "consumer-" + UUID.randomUUID();
    database.execute("create role \"%s\" login".formatted(role));
    for (String setting : defaults.split(";")) {
      database.execute("alter role \"%s\" set %s".formatted(role, setting));
    }
    database.execute("create table seen (isolation text)");
    // Every statement of the inbox that writes says in what kind of transaction it does.
    database.execute(
        """
        create function seen() returns trigger language plpgsql security definer as $$
        begin
          insert into public.seen values (current_setting('transaction_isolation'));
          return null;
        end $$""");
    for (String table :
        List.of(
            "inbox",
            "inbox_consumer",
            "inbox_failure",
            "inbox_dead_letter",
            "inbox_redrive",
            "inbox_audit",
            "inbox_pass",
            "inbox_day",
            "inbox_retention")) {
      database.execute(
          "create trigger seen after insert or update or delete on twinbox.%s for each statement execute function seen()"
              .formatted(table));
    }
    database.execute("grant insert on effect to \"%s\"".formatted(role));
    database.execute("grant usage on sequence effect_number_seq to \"%s\"".formatted(role));
    Migrations.defaults().grantConsumer(database.dataSource(), role);
    DataSource hostile = database.dataSource(role);
    Inbox inbox =
        Inbox.builder()
            .dataSource(hostile)
            .consumer("billing")
            .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(1))
            .build();

    Delivery one = delivery();
    assertThat(inbox.receive(one, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receiveAll(List.of(delivery(), delivery().again()), InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(inbox.receive(one.again(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    receiveEach(inbox, 20);
    assertThat(
            inbox.receive(
                delivery().again(),
                (delivery, work) -> {
                  throw new IllegalStateException("Poison");
                }))
        .isInstanceOf(Receipt.Quarantined.class);
    Quarantine quarantine = Quarantine.of(hostile, "twinbox");
    assertThat(quarantine.redrive(Selection.all(), Act.by("test"))).hasSize(1);
    assertThat(inbox.redriver(InboxDatabase::effect).runOnce()).isEqualTo(1);
    database.execute(
        "update twinbox.inbox_retention set horizon = interval '6 days'; delete from seen");
    assertThat(inbox.upkeep().runOnce().daysMade()).isEqualTo(1);
    assertThat(inbox.upkeep().keptFor()).hasDays(6);
    database.execute("grant update on twinbox.inbox_retention to \"%s\"".formatted(role));
    inbox.upkeep().keepFor(Duration.ofDays(9));
    assertThat(inbox.examine().findings())
        .noneMatch(finding -> finding.toString().contains("unreachable"));

    assertThat(database.effects()).hasSize(24);
    assertThat(database.texts("select distinct isolation from seen"))
        .containsExactly("read committed");
  }

  private static void receiveEach(Inbox inbox, int count) {
    Queue<Delivery> coming = new ArrayDeque<>();
    for (int i = 0; i < count; i++) {
      coming.add(delivery());
    }
    while (!coming.isEmpty()) {
      inbox.receiveEach(
          new DeliverySource() {
            @Override
            public Delivery next() {
              return coming.poll();
            }

            @Override
            public void received(Receipt receipt) {
              assertThat(receipt).isInstanceOf(Receipt.Processed.class);
            }
          },
          InboxDatabase::effect,
          () -> true);
    }
  }
}
