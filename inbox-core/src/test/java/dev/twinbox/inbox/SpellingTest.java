package dev.twinbox.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One message stays one message, however what lies on its way spells its attributes. */
class SpellingTest {
  private static final String ID = "01970b7c-51f3-7abc-9def-0123456789ab";
  private static final String RANDOM = "d3b07384-d113-4ec6-a5d9-0123456789ab";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "%s",
        "\"%s\"",
        " %s ",
        "\t%s\r\n",
        "\u00a0%s\ufeff",
        " \" %s \" ",
        "\"\\\"%s\\\"\"",
        "'%s'",
        "{%s}",
        "(%s)",
        "<%s>",
        "urn:uuid:%s",
        "\"URN:UUID:%s\"",
        "uuid:%s",
      })
  void aUuidIsOneIdHoweverItIsWrapped(String wrapped) {
    for (String id : List.of(ID, RANDOM)) {
      String spelled = wrapped.replace("%s", id);
      String shouted = wrapped.replace("%s", id.toUpperCase(Locale.ROOT));
      assertThat(recorded(spelled, null)).isEqualTo(recorded(id, null));
      assertThat(recorded(shouted, null)).isEqualTo(recorded(id, null));
      assertThat(read("id", spelled).id()).isEqualTo(id);
      assertThat(read("id", shouted).id()).isEqualTo(id);
    }
  }

  @Test
  void aUuidNeedsNoHyphens() {
    assertThat(recorded(ID.replace("-", ""), null)).isEqualTo(UUID.fromString(ID));
    assertThat(recorded('"' + ID.replace("-", "") + '"', null)).isEqualTo(UUID.fromString(ID));
    assertThat(recorded(RANDOM.replace("-", ""), "/a")).isEqualTo(recorded(RANDOM, "/a"));
    assertThat(read("id", ID.replace("-", "")).id()).isEqualTo(ID);
    // A hash in hex may have a version's digit by chance; the time in it then is none.
    String hash = "ab5df625bc76dbd4e163bed2dd888df8".replace("dbd4e163", "7bd49163");
    assertThat(InboxIds.version7(hash)).isNull();
    assertThat(read("id", hash).id()).isEqualTo(hash);
  }

  @ParameterizedTest
  @CsvSource({
    "order-1, ORDER-1",
    "order-1, order1",
    "17, 017",
    "17, 17.0",
    "a, ' a'",
    "a, '\"a\"'",
    "a, {a}",
    "01970b7c-51f3-7abc-9def-0123456789ab, 01970b7c-51f3-7abc-9def-0123456789ac",
    "01970b7c-51f3-7abc-9def-0123456789ab, 01970b7c-51f3-7abc-9def-0123456789ab-1",
    "01970b7c-51f3-7abc-9def-0123456789ab, x01970b7c-51f3-7abc-9def-0123456789ab",
  })
  void otherIdsThatDifferStayApart(String one, String other) {
    assertThat(recorded(one, "/a")).isNotEqualTo(recorded(other, "/a"));
    assertThat(read("id", one).id()).isNotEqualTo(read("id", other).id());
  }

  @Test
  void whatAConverterPutsInQuotesIsReadAsItWasSent() {
    Delivery direct =
        event(
            "order-1",
            "/shop",
            "order.placed",
            "2026-11-22T08:33:01.000123Z",
            "kafka:orders",
            "a \"key\"",
            "1.0");
    Delivery converted =
        event(
            "\"order-1\"",
            "\"/shop\"",
            "\"order.placed\"",
            "\"2026-11-22T08:33:01.000123Z\"",
            "\"kafka:orders\"",
            "\"a \\\"k\\u0065y\\\"\"",
            "1");

    assertThat(converted).usingRecursiveComparison().isEqualTo(direct);
    assertThat(converted.defect()).isNull();
    assertThat(converted.time()).isEqualTo(Instant.parse("2026-11-22T08:33:01.000123Z"));
    assertThat(converted.headers()).containsEntry("tenant", "acme").containsEntry("ce_level", "3");
  }

  @Test
  void quotesThatTheSenderHasSetStay() {
    Delivery delivery =
        new CloudEvent()
            .attribute("specversion", "1.0")
            .attribute("id", "\"7\"")
            .attribute("source", "/shop")
            .attribute("partitionkey", "\"a\"")
            .header("etag", "\"abc\"")
            .toDelivery(null, null, null, "test:1", false);

    assertThat(delivery.id()).isEqualTo("\"7\"");
    assertThat(delivery.key()).isEqualTo("\"a\"");
    assertThat(delivery.headers()).containsEntry("etag", "\"abc\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.0", "1", "\"1.0\"", "\"1\"", " 1.0 ", "1.00", "1.0\n"})
  void theVersionIsOneHoweverItIsWritten(String version) {
    assertThat(read("specversion", version).defect()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.3", "1.1", "2", "\"2.0\"", "", "one", "1.0.0", "1e99999999"})
  void anotherVersionIsADefect(String version) {
    assertThat(read("specversion", version).defect()).contains("version");
  }

  @Test
  void twoSpellingsOfOneIdInOneMessageAgree() {
    Delivery delivery =
        new CloudEvent()
            .attribute("id", '"' + ID + '"')
            .attribute("id", ID.toUpperCase(Locale.ROOT))
            .attribute("type", "\"order.placed\"")
            .attribute("type", "order.placed")
            .toDelivery(null, "\"text/plain\"", null, "test:1", false);

    assertThat(delivery.defect()).isNull();
    assertThat(delivery.id()).isEqualTo(ID);
    assertThat(delivery.contentType()).isEqualTo("text/plain");
    assertThat(new CloudEvent().attribute("id", "a").attribute("id", "b").attribute("id"))
        .isEqualTo("b");
    assertThat(
            new CloudEvent()
                .attribute("id", ID)
                .attribute("id", RANDOM)
                .toDelivery(null, null, null, "test:1", false)
                .defect())
        .contains("two values");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\"\"", "\" \""})
  void anIdOfNothingButBlanksIsNone(String id) {
    assertThat(judge(read("id", id)).refusal()).isEqualTo(QuarantineReason.NO_ID);
  }

  private static UUID recorded(String id, @Nullable String source) {
    UUID version7 = InboxIds.version7(id);
    return version7 != null ? version7 : InboxIds.foreign(source, id);
  }

  private static CheckedDelivery judge(Delivery delivery) {
    long now = System.currentTimeMillis();
    return new Admission(java.util.Set.of())
        .judge(delivery, new Registration(1, 0, 0, 0, 1L << 40, now, System.nanoTime()));
  }

  private static Delivery read(String attribute, String value) {
    return new CloudEvent()
        .attribute(attribute, value)
        .toDelivery(null, null, null, "test:1", false);
  }

  private static Delivery event(
      String id,
      String source,
      String type,
      String time,
      String destination,
      String key,
      String version) {
    boolean quoted = source.startsWith("\"");
    return new CloudEvent()
        .attribute("id", id)
        .attribute("specversion", version)
        .attribute("level", quoted ? "\"3\"" : "3")
        .attribute("source", source)
        .attribute("type", type)
        .attribute("time", time)
        .attribute("expirytime", time)
        .attribute("destination", destination)
        .attribute("partitionkey", key)
        .header("tenant", quoted ? "\"acme\"" : "acme")
        .toDelivery(
            null,
            quoted ? "\"application/json\"" : "application/json",
            "{}".getBytes(StandardCharsets.UTF_8),
            "test:1",
            false);
  }
}
