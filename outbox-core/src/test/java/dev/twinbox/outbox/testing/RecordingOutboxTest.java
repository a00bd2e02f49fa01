package dev.twinbox.outbox.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.outbox.Enqueued;
import dev.twinbox.outbox.InvalidMessageException;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class RecordingOutboxTest {
  private static final @Nullable DSLContext NO_DSL = null;
  private static final @Nullable Connection NO_CONNECTION = null;

  private final RecordingOutbox outbox = new RecordingOutbox();
  private final Message message = Message.to("kafka:orders").key("1").type("order.placed");

  @Test
  void itRemembersWhatWasEnqueuedWithoutADatabase() {
    Enqueued first = outbox.enqueue(NO_DSL, message.json(Map.of("id", 1)));
    outbox.enqueue(NO_CONNECTION, message.key("2").text("x"));
    outbox.enqueueAll(NO_DSL, List.of(message.key("3").tombstone()));
    outbox.enqueueAll(NO_CONNECTION, List.of(message.key("4").tombstone()));

    assertThat(outbox.messages()).extracting(Message::key).containsExactly("1", "2", "3", "4");
    Message recorded = outbox.messages().get(0);
    assertThat(recorded.id()).isEqualTo(first.id());
    assertThat(recorded.json()).isEqualTo(Map.of("id", 1));
    assertThat(recorded.payload()).isEqualTo("{\"id\":1}".getBytes(UTF_8));
    assertThat(recorded.contentType()).isEqualTo("application/json");

    outbox.clear();
    assertThat(outbox.messages()).isEmpty();
  }

  @Test
  void itRefusesWhatTheRealOneRefuses() {
    assertThatThrownBy(() -> outbox.enqueue(NO_DSL, message))
        .isInstanceOf(InvalidMessageException.class);
    assertThatThrownBy(() -> outbox.enqueueAll(NO_DSL, List.of(message.text("x"), message)))
        .isInstanceOf(InvalidMessageException.class);
    RecordingOutbox strict =
        new RecordingOutbox(Outbox.builder().source("/s").maxPayloadBytes(20).build());
    assertThatThrownBy(() -> strict.enqueue(NO_DSL, message.text("more than twenty bytes")))
        .hasMessageContaining("the limit is 20 bytes");
    assertThat(outbox.messages()).isEmpty();
  }

  @Test
  void aDelayedMessageCanBeCancelledOnce() {
    UUID now = outbox.enqueue(NO_DSL, message.text("x")).id();
    UUID later = outbox.enqueue(NO_DSL, message.text("y").delay(Duration.ofDays(1))).id();

    assertThat(outbox.cancel(NO_DSL, now)).isFalse();
    assertThat(outbox.cancel(NO_CONNECTION, later)).isTrue();
    assertThat(outbox.cancel(NO_DSL, later)).isFalse();

    assertThat(outbox.messages()).extracting(Message::id).containsExactly(now);
  }

  @Test
  void itKnowsDuplicates() {
    Enqueued first = outbox.enqueue(NO_DSL, message.text("x").dedupKey("event"));
    Enqueued second = outbox.enqueue(NO_DSL, message.text("y").dedupKey("event"));

    assertThat(second).isEqualTo(new Enqueued(first.id(), true));
    assertThat(outbox.messages()).hasSize(1);
  }

  @Test
  void itWakes() {
    AtomicInteger wakeups = new AtomicInteger();
    try (Outbox.Subscription subscription = outbox.onWake(wakeups::incrementAndGet)) {
      assertThat(subscription).isNotNull();
      outbox.wake();
    }
    outbox.wake();
    assertThat(wakeups).hasValue(1);
  }
}
