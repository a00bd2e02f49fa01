package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.migrations.Migrations;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Everything an inbox does is possible with the rights of {@code grantConsumer} alone. */
class ConsumerRoleTest {
  private final InboxDatabase database = InboxDatabase.create();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aConsumersRoleIsEnough() throws SQLException {
    String role = "consumer-" + UUID.randomUUID();
    database.execute("create role \"%s\" login".formatted(role));
    database.execute("grant insert on effect to \"%s\"".formatted(role));
    database.execute("grant usage on sequence effect_number_seq to \"%s\"".formatted(role));
    Migrations.defaults().grantConsumer(database.dataSource(), role);
    Inbox inbox =
        Inbox.builder()
            .dataSource(database.dataSource(role))
            .consumer("billing")
            .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(2))
            .build();
    Delivery message = delivery();
    Handler failing =
        (delivery, work) -> {
          throw new IllegalStateException("Poison");
        };
    Delivery poison = delivery();

    assertThat(inbox.receive(message, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(message.again(), InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(
            inbox.receiveAll(
                List.of(delivery().again(), delivery().again()), InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Processed.class);
    assertThat(
            inbox.receive(
                Messages.expiring(Messages.id(), Instant.now().minusSeconds(1)),
                InboxDatabase::effect))
        .isInstanceOf(Receipt.Expired.class);
    assertThat(inbox.receive(poison, failing)).isInstanceOf(Receipt.Failed.class);
    assertThat(inbox.receive(poison.again(), failing)).isInstanceOf(Receipt.Quarantined.class);
    database.execute(
        """
        insert into twinbox.inbox_pass (consumer_id, message_id, granted_by)
        select consumer_id, message_id, 'ops' from twinbox.inbox_dead_letter
        where reason = 'attempts-exhausted'""");
    assertThat(inbox.receive(poison, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    try (InboxUpkeep upkeep = inbox.upkeep()) {
      assertThat(upkeep.runOnce().daysMade()).isPositive();
    }

    assertThat(database.effects()).hasSize(4);
    assertThat(database.quarantined()).containsExactly("expired"); // the other was let through
  }
}
