package dev.twinbox.inbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TypedHandlersTest {
  /** The payload of the tests; {@code anything} is where type hints would do harm. */
  record Order(String id, Object anything) {}

  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final List<Order> orders = new ArrayList<>();
  private final TypedHandlers.Builder handlers =
      TypedHandlers.builder()
          .json("order.placed", Order.class, (order, delivery, work) -> orders.add(order))
          .on("plain", (delivery, work) -> InboxDatabase.effect(delivery, work));

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void eachTypeHasItsHandler() {
    Handler handler = handlers.build();

    assertThat(inbox.receive(json("{\"id\":\"7\",\"new\":1}"), handler))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(typed("plain", new byte[0]), handler))
        .isInstanceOf(Receipt.Processed.class);

    assertThat(orders).extracting(Order::id).containsExactly("7");
    assertThat(database.effects()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no json", "null", "[]", "{\"id\":\"7\"} {}", "{\"id\":{\"a\":1}}"})
  void aMalformedPayloadIsQuarantinedAtOnce(String payload) {
    assertThat(inbox.receive(json(payload), handlers.build()))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.MALFORMED_PAYLOAD, 1));
    assertThat(orders).isEmpty();
  }

  @Test
  void aNestingBombIsQuarantinedAndNothingElseHappens() {
    String bomb = "{\"id\":\"7\",\"anything\":" + "[".repeat(100_000);

    assertThat(inbox.receive(json(bomb), handlers.build()))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.MALFORMED_PAYLOAD, 1));
  }

  @Test
  void aTypeHintInAPayloadLoadsNoClass() {
    inbox.receive(
        json(
            "{\"id\":\"7\",\"anything\":[\"java.net.URL\",\"http://localhost\"],"
                + "\"@class\":\"java.net.URL\"}"),
        handlers.build());

    assertThat(orders).hasSize(1);
    assertThat(orders.get(0).anything()).isInstanceOf(List.class);
  }

  @Test
  void anUnknownTypeGoesByThePolicy() {
    assertThat(inbox.receive(typed("new", new byte[0]), handlers.build()))
        .isEqualTo(new Receipt.Quarantined(QuarantineReason.UNKNOWN_TYPE, 1));
    assertThat(
            inbox.receive(typed("new", new byte[0]), handlers.unknown(UnknownType.IGNORE).build()))
        .isInstanceOf(Receipt.Processed.class);
    assertThat(inbox.receive(typed("new", new byte[0]), handlers.unknown(UnknownType.FAIL).build()))
        .isInstanceOf(Receipt.Failed.class);
  }

  @Test
  void aTypeHasOneHandler() {
    assertThatThrownBy(() -> handlers.on("plain", (delivery, work) -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'plain'");
  }

  private static Delivery json(String payload) {
    return typed("order.placed", payload.getBytes(UTF_8));
  }

  private static Delivery typed(String type, byte[] payload) {
    String id = Messages.id();
    return Delivery.builder().id(id).type(type).payload(payload).origin("test:" + id).build();
  }

  /** In a rolling deployment the next version may know it. */
  @Test
  void anUnknownTypeIsWaitedForAndCountsNothing() {
    Instant[] now = {Instant.parse("2026-11-28T12:00:00Z")};
    TypedHandlers old =
        TypedHandlers.builder()
            .on("known", InboxDatabase::effect)
            .waitForUnknown(Duration.ofMinutes(10))
            .clock(() -> now[0])
            .build();
    Inbox inbox =
        database.inbox("billing").backoff(Backoff.exponential(Duration.ofSeconds(1))).build();
    Delivery first = typed("new", new byte[0]);
    Delivery second = typed("new", new byte[0]);

    List<Receipt> receipts =
        inbox.receiveAll(List.of(first, typed("known", new byte[0]), second), old);
    assertThat(pause(receipts.get(0))).isEqualTo(Duration.ofSeconds(1));
    assertThat(receipts.get(1)).isEqualTo(new Receipt.Processed());
    for (int i = 0; i < 7; i++) {
      now[0] = now[0].plusSeconds(60);
      assertThat(pause(inbox.receive(first.again(), old)))
          .isEqualTo(Duration.ofSeconds(Math.min(300, 60 * (i + 1))));
    }
    assertThat(database.count("select count(*) from twinbox.inbox_failure where attempts > 0"))
        .isZero();

    Handler newer = TypedHandlers.builder().on("new", InboxDatabase::effect).build();
    assertThat(inbox.receive(first.again(), newer)).isEqualTo(new Receipt.Processed());
    now[0] = now[0].plusSeconds(600);
    assertThat(inbox.receive(second.again(), old))
        .isInstanceOfSatisfying(
            Receipt.Quarantined.class,
            q -> assertThat(q.reason()).isEqualTo(QuarantineReason.UNKNOWN_TYPE));
  }

  private static Duration pause(Receipt receipt) {
    assertThat(receipt).isInstanceOf(Receipt.Held.class);
    return receipt.retryAfter();
  }
}
