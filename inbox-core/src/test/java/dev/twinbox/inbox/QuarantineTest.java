package dev.twinbox.inbox;

import static dev.twinbox.inbox.Messages.delivery;
import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.BrokerKind.Consumption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What never reaches its handler, and what stays visible of it. */
@Tag("essential")
class QuarantineTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").expectDestinations("kafka:orders").build();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void anOverlongForeignIdIsQuarantined() {
    Delivery message =
        Delivery.builder()
            .id("é".repeat(4_000))
            .origin("rabbitmq:queue/" + "é".repeat(4_000))
            .build();
    Delivery inBytes = foreign("/a", "é".repeat(600));

    assertThat(inbox.receiveAll(List.of(message, message, inBytes), InboxDatabase::effect))
        .containsOnly(new Receipt.Quarantined(QuarantineReason.BROKEN_HEADERS, 0));

    assertThat(database.quarantined()).containsExactly("broken-headers", "broken-headers");
  }

  /** Where the kind of broker is on the class path; that of a consumer always is. */
  @Test
  void aForeignIdIsOneOfItsTopicOrQueue() {
    assertThat(Admission.place(Consumption.TOPICS, "kafka:t/0/7", "7")).isEqualTo("kafka:t");
    assertThat(Admission.place(Consumption.TOPICS, "kafka:t/3/9", "7")).isEqualTo("kafka:t");
    assertThat(Admission.place(Consumption.QUEUES, "rabbitmq:a/b/7", "7"))
        .isEqualTo("rabbitmq:a/b");
    assertThat(Admission.place(Consumption.QUEUES, "rabbitmq:a/b/7", "b/7"))
        .isEqualTo("rabbitmq:a");
    assertThat(Admission.place(Consumption.QUEUES, "rabbitmq:a/8", "7")).isNull();
    assertThat(Admission.place(Consumption.TOPICS, "kafka:t", "7")).isNull();
  }

  @Test
  void whatACallersTransactionQuarantinesIsDurable() throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("set synchronous_commit = off");
      assertThat(inbox.receiveIn(connection, delivery(null), InboxDatabase::effect))
          .isEqualTo(new Receipt.Quarantined(QuarantineReason.NO_ID, 0));
      try (ResultSet row = statement.executeQuery("show synchronous_commit")) {
        row.next();
        assertThat(row.getString(1)).isEqualTo("on");
      }
      connection.rollback();
    }
  }

  @Test
  void aMessageWithoutAnIdIsQuarantined() {
    Delivery message = delivery(null);

    assertThat(inbox.receive(message, InboxDatabase::effect))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.NO_ID, 0));
    inbox.receive(message, InboxDatabase::effect);

    assertThat(database.effects()).isEmpty();
    assertThat(database.quarantined()).containsExactly("no-id");
  }

  /** Its attributes are in the payload, so that no id is found elsewhere. */
  @Test
  void structuredModeIsQuarantinedByItsName() {
    for (String type :
        List.of("application/cloudevents+json", "Application/CloudEvents-batch+JSON; v=1")) {
      Delivery message =
          new CloudEvent().toDelivery(null, type, new byte[] {'{', '}'}, "kafka:t/0/1", false);

      assertThat(inbox.receive(message, InboxDatabase::effect))
          .isEqualTo(new Receipt.Quarantined(QuarantineReason.BROKEN_HEADERS, 0));
      assertThat(message.defect()).contains("structured mode", type);
    }
    assertThat(database.effects()).isEmpty();
  }

  @Test
  void aForeignIdIsHashedWithItsSourceAndNeverRandom() {
    Delivery one = foreign("/a", "order-1");
    Delivery other = foreign("/b", "order-1");

    assertThat(inbox.receiveAll(List.of(one, other), InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Processed.class);
    Inbox afterRestart = database.inbox("billing").build();
    assertThat(afterRestart.receiveAll(List.of(one, other), InboxDatabase::effect))
        .hasOnlyElementsOfType(Receipt.Duplicate.class);

    assertThat(database.count("select count(*) from twinbox.inbox_foreign")).isEqualTo(2);
  }

  @Test
  void aRandomUuidIsAForeignId() {
    String version4 = UUID.randomUUID().toString();

    inbox.receive(delivery(version4), InboxDatabase::effect);
    inbox.receive(delivery(version4), InboxDatabase::effect);

    assertThat(database.effects()).containsExactly(version4);
    assertThat(database.count("select count(*) from twinbox.inbox_foreign")).isEqualTo(1);
  }

  @Test
  void aMessageForAnotherDestinationIsQuarantined() {
    Delivery stray =
        Delivery.builder()
            .id(Messages.id())
            .type("t")
            .destination("kafka:mails")
            .origin("x")
            .build();

    assertThat(inbox.receive(stray, InboxDatabase::effect))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.WRONG_DESTINATION, 0));
    assertThat(database.effects()).isEmpty();
    assertThat(database.texts("select error from twinbox.inbox_dead_letter").get(0))
        .contains("kafka:mails", "kafka:orders");
  }

  @Test
  void hostileHeadersAreQuarantinedAndCanBeStored() {
    Delivery huge = withHeaders(Map.of("h", "x".repeat(300_000)));
    Delivery nul =
        Delivery.builder()
            .type("t\u0000")
            .key("k\u0000")
            .expiresAt(Instant.MAX)
            .headers(Map.of("a\u0000", "b\u0000\uD800"))
            .payload(new byte[0])
            .origin("origin\u0000")
            .build();

    assertThat(inbox.receive(huge, InboxDatabase::effect))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.BROKEN_HEADERS, 0));
    assertThat(inbox.receive(nul, InboxDatabase::effect))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.NO_ID, 0));

    assertThat(database.quarantined()).containsExactly("broken-headers", "no-id");
  }

  @Test
  void anExpiredMessageIsNotHandledAndComesBackWithALaterExpiry() {
    String id = Messages.id();
    Delivery late = Messages.expiring(id, Instant.now().minusSeconds(1));

    assertThat(inbox.receive(late, InboxDatabase::effect)).isInstanceOf(Receipt.Expired.class);
    assertThat(database.effects()).isEmpty();
    assertThat(database.quarantined()).containsExactly("expired");

    Delivery redriven = Messages.expiring(id, Instant.now().plusSeconds(60));
    assertThat(inbox.receive(redriven, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(late, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.effects()).containsExactly(id);
  }

  @Test
  void oneSecondOutsideTheHorizonIsRefusedAndInsideIsADuplicate() {
    inbox.receive(delivery(), InboxDatabase::effect); // registers the consumer
    registeredDaysAgo("billing", 30);
    Inbox experienced = database.inbox("billing").build();
    Instant edge = Instant.now().minus(Duration.ofDays(7));
    Delivery inside = delivery(Messages.id(edge.plusSeconds(30)));
    Delivery outside = delivery(Messages.id(edge.minusSeconds(1)));

    experienced.receive(inside, InboxDatabase::effect);
    assertThat(experienced.receive(inside, InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
    assertThat(experienced.receive(outside, InboxDatabase::effect))
        .isEqualTo(new Receipt.Refused(QuarantineReason.OLDER_THAN_DEDUP_HORIZON));
    assertThat(database.quarantined()).containsExactly("older-than-dedup-horizon");

    Inbox later = database.inbox("registered later").build();
    assertThat(later.receive(outside, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(later.receive(outside, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
  }

  @Test
  void aConsumerRegisteredTodayReadsATopicFromItsBeginning() {
    Delivery old = delivery(Messages.id(Instant.now().minus(Duration.ofDays(400))));

    assertThat(inbox.receive(old, InboxDatabase::effect)).isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(old, InboxDatabase::effect)).isInstanceOf(Receipt.Duplicate.class);
    assertThat(database.effects()).containsExactly(old.id());
    assertThat(database.count("select count(*) from twinbox.inbox_old")).isEqualTo(1);
  }

  @Test
  void aRefusedMessageIsLetThroughByName() {
    inbox.receive(delivery(), InboxDatabase::effect);
    registeredDaysAgo("billing", 30);
    Inbox experienced = database.inbox("billing").build();
    Delivery outside = delivery(Messages.id(Instant.now().minus(Duration.ofDays(8))));
    assertThat(experienced.receive(outside, InboxDatabase::effect))
        .isInstanceOf(Receipt.Refused.class);

    database.execute(
        """
        insert into twinbox.inbox_pass (consumer_id, message_id, granted_by)
        select consumer_id, message_id, 'ops' from twinbox.inbox_dead_letter\
        """);

    assertThat(experienced.receive(outside, InboxDatabase::effect))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(experienced.receive(outside, InboxDatabase::effect))
        .isInstanceOf(Receipt.Duplicate.class);
  }

  private void registeredDaysAgo(String consumer, int days) {
    database.execute(
        """
        update twinbox.inbox_consumer set registered_at = registered_at - interval '%1$s days',
          refuses_from = refuses_from - interval '%1$s days',
          kept_from = kept_from - interval '%1$s days'
        where consumer = '%2$s'\
        """
            .formatted(days, consumer));
  }

  private static Delivery foreign(String source, String id) {
    return Delivery.builder().id(id).source(source).origin(source + id).build();
  }

  private static Delivery withHeaders(Map<String, String> headers) {
    return Delivery.builder().id(Messages.id()).headers(headers).origin("huge").build();
  }
}
