package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused needs no database; that no SQL is run is shown by the connection being null. */
@Tag("essential")
final class MessageLimitsTest {
  private static final Message GOOD =
      Message.to("kafka:orders").key("1").type("order.placed").text("hello");

  private final Outbox outbox = Outbox.builder().source("/shop").build();

  @Test
  void whatIsMissingIsNamed() {
    refused("type", m -> Message.to("kafka:orders").text("x")).hasMessageContaining("missing");
    refused("payload", m -> Message.to("kafka:orders").type("t"))
        .hasMessageContaining("tombstone()");
    refused("ordered", m -> Message.to("kafka:orders").type("t").text("x").ordered())
        .hasMessageContaining("key");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "a\u0000b", "a\nb", "a\rb", "a\u0085b", "\ud800", "a\udc00b", "\udc00\ud800"})
  void brokenTextIsRefusedInEveryField(String text) {
    refused("key", m -> m.key(text));
    refused("type", m -> m.type(text));
    refused("contentType", m -> m.contentType(text));
    refused("dedupKey", m -> m.dedupKey(text));
    refused("header", m -> m.header(text, "value"));
    if (!text.isEmpty() && !text.contains("\u0085")) {
      refused("header", m -> m.header("name", text)).hasMessageContaining("'name'");
    }
    if (Texts.shown(text).contains("\\ud")) {
      refused("text", m -> m.text(text)).hasMessageContaining("surrogate");
    }
  }

  @Test
  void lengthsAreCountedInBytesOfUtf8() {
    accepted(m -> m.key("ü".repeat(512)));
    refused("key", m -> m.key("ü".repeat(512) + "x"))
        .hasMessageContaining("1,025 bytes")
        .hasMessageContaining("1,024 bytes");
    accepted(m -> m.type("t".repeat(255)));
    refused("type", m -> m.type("t".repeat(256))).hasMessageContaining("255 bytes");
    accepted(m -> m.dedupKey("🔑".repeat(63)));
    refused("dedupKey", m -> m.dedupKey("🔑".repeat(64))).hasMessageContaining("256 bytes");
  }

  @Test
  void keyHeadersAndPayloadTogetherHaveALimit() {
    Outbox small = Outbox.builder().source("/s").maxPayloadBytes(100).build();
    Message message = Message.to("kafka:a").type("t").key("12345").header("name", "value");
    int headers = "name".length() + "value".length() + "ce_source".length() + "/s".length();
    int rest = 100 - 5 - headers;

    assertThatCode(() -> small.prepare(message.payload(new byte[rest]))).doesNotThrowAnyException();
    assertThatThrownBy(() -> small.prepare(message.payload(new byte[rest + 1])))
        .isInstanceOf(InvalidMessageException.class)
        .hasMessageMatching(
            "Message [0-9a-f-]{36} is 101 bytes .*; the limit is 100 bytes\\. Raise maxPayloadBytes"
                + " or store a reference\\.");
    assertThatThrownBy(() -> outbox.prepare(message.payload(new byte[1_000_000])))
        .hasMessageContaining("1,000,000 bytes");
    assertThatThrownBy(() -> Outbox.builder().maxPayloadBytes(0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ce_id",
        "CE_ID",
        "cloudEvents_id",
        "cloudevents:id",
        "twinbox",
        "Twinbox-attempt",
        "content-type",
        "Content-Type",
        "message-id",
        "traceparent",
        "TraceState",
        "CC",
        "x-death"
      })
  void reservedHeadersAreRefused(String name) {
    refused("header", m -> m.header(name, "value"))
        .hasMessageContaining(name)
        .hasMessageContaining("reserved");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "ä", "tab\t", "del\u007f"})
  void headerNamesAreVisibleAscii(String name) {
    refused("header", m -> m.header(name, "value")).hasMessageContaining("visible ASCII");
  }

  @Test
  void headersAreCountedAndWeighed() {
    refused("header", m -> m.header("n".repeat(129), "v")).hasMessageContaining("129");
    accepted(m -> m.header("n".repeat(128), ""));
    refused("header", m -> m.header("Tenant", "1").header("tenant", "2"))
        .hasMessageContaining("already");
    refused("header", m -> numbered(m, 65)).hasMessageContaining("64");
    assertThat(numbered(GOOD, 64).headers()).hasSize(64);
    accepted(m -> m.header("n", "v".repeat(32 * 1024 - 1)));
    refused("header", m -> m.header("n", "v".repeat(32 * 1024 - 1)).header("m", ""))
        .hasMessageContaining("32,769 bytes")
        .hasMessageContaining("32,768 bytes");
  }

  @Test
  void contentTypesAreMediaTypes() {
    accepted(m -> m.contentType("application/json"));
    accepted(m -> m.contentType("text/plain; charset=utf-8"));
    accepted(m -> m.contentType("application/vnd.shop+json;v=\"1 2\""));
    for (String bad : new String[] {"json", "a/", "/b", "a/b;", "a/b; c", "a b/c", "a/ü"}) {
      refused("contentType", m -> m.contentType(bad)).hasMessageContaining("media type");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/cloudevents",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "Application/CloudEvents+JSON; charset=utf-8",
        "APPLICATION/CLOUDEVENTS;charset=UTF-8",
        "application/cloudevents+avro",
        "application/cloudeventsfoo"
      })
  void contentTypesOfCloudEventsAreRefusedAlsoFromACodec(String type) {
    refused("contentType", m -> m.contentType(type)).hasMessageContaining("structured mode");
    Outbox encoding =
        Outbox.builder()
            .source("/shop")
            .codec(
                new PayloadCodec() {
                  @Override
                  public byte[] encode(Object value) {
                    return new byte[0];
                  }

                  @Override
                  public String contentType() {
                    return type;
                  }
                })
            .build();
    assertThatThrownBy(() -> encoding.prepare(GOOD.json(1)))
        .isInstanceOfSatisfying(
            InvalidMessageException.class, e -> assertThat(e.field()).isEqualTo("contentType"));
    accepted(m -> m.contentType("application/cloud-events+json"));
  }

  @Test
  void timesAreThoseThatPostgresAndRfc3339Express() {
    accepted(m -> m.deliverAt(Instant.EPOCH).expiresAt(Instant.parse("9999-12-31T23:59:59Z")));
    refused("deliverAt", m -> m.deliverAt(Instant.EPOCH.minusNanos(1)));
    refused("deliverAt", m -> m.deliverAt(Instant.MAX)).hasMessageContaining("9999");
    refused("expiresAt", m -> m.expiresAt(Instant.MIN));
    refused("delay", m -> m.delay(Duration.ofNanos(-1)));
    refused("delay", m -> m.delay(Duration.ofSeconds(Long.MAX_VALUE)));
    refused("ttl", m -> m.ttl(Duration.ZERO)).hasMessageContaining("more than zero");
  }

  @Test
  void aMessageThatExpiresBeforeItIsDueIsRefused() {
    Instant due = Instant.parse("2030-01-01T00:00:00Z");
    refused("expiresAt", m -> m.deliverAt(due).expiresAt(due)).hasMessageContaining("ttl");
    accepted(m -> m.deliverAt(due).expiresAt(due.plusMillis(1)));
  }

  @Test
  void onlyIdsOfVersionSevenAreTaken() {
    UUID good = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
    assertThat(outbox.prepare(GOOD.id(good)).id()).isEqualTo(good);
    refused("id", m -> m.id(UUID.fromString("9b2f0a52-6f5e-4c8e-9f06-6f2a0f1d7c11")));
    refused("id", m -> m.id(new UUID(0, 0)));
    refused("id", m -> m.id(UUID.fromString("01890a5d-ac96-774b-0cce-b302099a8057")));
    refused("id", m -> m.id(UUID.fromString("ff890a5d-ac96-774b-bcce-b302099a8057")));
  }

  @Test
  @SuppressWarnings("NullAway") // what Kotlin and unannotated Java can do
  void nullsAreRefusedByName() {
    refused("key", m -> m.key(null));
    refused("type", m -> m.type(null));
    refused("payload", m -> m.payload(null)).hasMessageContaining("tombstone()");
    refused("text", m -> m.text(null));
    refused("json", m -> m.json(null));
    refused("header", m -> m.header("name", null));
    refused("deliverAt", m -> m.deliverAt(null));
    refused("id", m -> m.id(null));
  }

  @Test
  void theSourceIsAUriReference() {
    for (String bad : new String[] {"", "a b", "\u0000", "http://[", "s".repeat(256)}) {
      assertThatThrownBy(() -> Outbox.builder().source(bad))
          .isInstanceOf(InvalidMessageException.class)
          .hasMessageContaining("source");
    }
    assertThatThrownBy(() -> Outbox.builder().build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(".source(");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a\"b",
        "a;drop schema public",
        "a'b",
        "",
        " a",
        "1a",
        "pg_catalog",
        "information_schema",
        "a.b",
        "a\u0000",
        "a\nb",
        "$a",
        "äääääääääääääääääääääääääääääääääää"
      })
  void aHostileSchemaNameIsRefused(String name) {
    assertThatThrownBy(() -> Outbox.builder().schema(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("The schema name");
  }

  @Test
  void aMessageIsAValueThatItsSettersLeaveAlone() {
    byte[] bytes = {1, 2, 3};
    Message template = Message.to("kafka:orders").type("t").payload(bytes).header("a", "1");
    bytes[0] = 9;
    Message other = template.key("k").header("b", "2").tombstone();

    assertThat(template.key()).isNull();
    assertThat(template.headers()).containsOnlyKeys("a");
    assertThat(template.payload()).containsExactly(1, 2, 3);
    assertThat(other.headers()).containsOnlyKeys("a", "b");
    assertThat(other.isTombstone()).isTrue();
    assertThat(other.payload()).isNull();
    byte[] copy = template.payload();
    Arrays.fill(copy == null ? new byte[0] : copy, (byte) 0);
    assertThat(template.payload()).containsExactly(1, 2, 3);
    assertThat(template.text("x").json("y").contentType()).isNull();
    assertThat(template.contentType("a/b").text("x").contentType()).isEqualTo("a/b");
  }

  @Test
  void itsTextFormShowsNoPayloadKeyOrHeaderValue() {
    assertThat(GOOD.header("token", "secret").key("customer").toString())
        .isEqualTo("Message[order.placed to kafka:orders]");
  }

  private AbstractThrowableAssert<?, ? extends Throwable> refused(
      String field, UnaryOperator<Message> change) {
    return assertThatThrownBy(() -> outbox.prepare(change.apply(GOOD)))
        .isInstanceOfSatisfying(
            InvalidMessageException.class, e -> assertThat(e.field()).startsWith(field));
  }

  private void accepted(UnaryOperator<Message> change) {
    assertThatCode(() -> outbox.prepare(change.apply(GOOD))).doesNotThrowAnyException();
  }

  private static Message numbered(Message message, int headers) {
    Message all = message;
    for (int i = 0; i < headers; i++) {
      all = all.header("h" + i, "v");
    }
    return all;
  }
}
