package dev.twinbox.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.inbox.Backoff;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxRedriver;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The operator's commands on messages that a consumer has given up. */
class QuarantineCommandTest {
  private final TestDatabase database = TestPostgres.shared().createDatabase();
  private final Inbox inbox =
      Inbox.builder()
          .dataSource(database.dataSource())
          .consumer("billing")
          .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(1))
          .build();

  @BeforeEach
  void twoMessagesAreInQuarantine() {
    Migrations.apply(database.dataSource());
    for (int i = 1; i <= 2; i++) {
      inbox.receive(
          delivery(uuid7(Instant.now()), "secret-" + i),
          (delivery, work) -> {
            throw new IllegalStateException("No such customer");
          });
    }
  }

  @Tag("essential")
  @Test
  void listShowsWhatLiesThereAndNoPayload() throws JsonProcessingException {
    Ran text = twinbox("list");
    assertThat(text.exitCode()).isZero();
    assertThat(text.out())
        .contains("billing", "attempts-exhausted", "No such customer")
        .doesNotContain("secret");

    JsonNode json = json(twinbox("list", "--limit", "1", "--json"));
    assertThat(json).hasSize(1);
    assertThat(json.get(0).get("number").asLong()).isEqualTo(1);
    assertThat(json.get(0).get("payloadBytes").asLong()).isEqualTo(8);
    assertThat(json.get(0).has("payload")).isFalse();
    assertThat(twinbox("list", "--consumer", "nobody").out())
        .contains("No quarantined messages match");
  }

  @Test
  void payloadsAreShownOnlyWhereTheyAreAskedFor() throws JsonProcessingException {
    assertThat(twinbox("show", "--number", "2").out())
        .contains("No such customer")
        .doesNotContain("secret");
    assertThat(twinbox("show", "--number", "2", "--payload").out())
        .contains("secret-2")
        .doesNotContain("secret-1");
    JsonNode json = json(twinbox("show", "--number", "2", "--payload", "--json"));
    assertThat(json.get(0).get("payload").asText()).isEqualTo("c2VjcmV0LTI=");
    assertThat(twinbox("show").exitCode()).isEqualTo(2);
    assertThat(twinbox("show", "--number", "9").exitCode()).isEqualTo(1);
  }

  @Test
  void groupCountsByCause() throws JsonProcessingException {
    assertThat(twinbox("group").out()).contains("java.lang.IllegalStateException");
    JsonNode cause = json(twinbox("group", "--json")).get(0);
    assertThat(cause.get("count").asLong()).isEqualTo(2);
    assertThat(cause.get("reason").asText()).isEqualTo("attempts-exhausted");
  }

  @Test
  void anActNamesTheCountAndWantsAConfirmation() {
    Ran unconfirmed = twinbox("discard", "--consumer", "billing");
    assertThat(unconfirmed.exitCode()).isEqualTo(1);
    assertThat(unconfirmed.err()).contains("2 messages").contains("--count 2");

    Ran another = twinbox("discard", "--consumer", "billing", "--count", "3");
    assertThat(another.exitCode()).isEqualTo(1);
    assertThat(another.err()).contains("There are 2 messages to discard, not 3");

    Ran aimless = twinbox("discard", "--yes");
    assertThat(aimless.exitCode()).isEqualTo(2);
    assertThat(aimless.err()).contains("Say which").contains("--all");

    assertThat(twinbox("list").out()).contains("billing");
    Ran done = twinbox("discard", "--all", "--count", "2", "--by", "alice");
    assertThat(done.exitCode()).isZero();
    assertThat(done.out()).contains("2 messages were discarded");
    assertThat(twinbox("list").out()).contains("No quarantined messages match");
    assertThat(twinbox("list", "--discarded").out()).contains("billing");
    assertThat(twinbox("restore", "--number", "1,2", "--yes").out()).contains("2 messages");
    assertThat(twinbox("list", "--json").out()).contains("\"number\" : 2");
  }

  @Tag("essential")
  @Test
  void redriveWaitsForTheRunningConsumerAndShowsItsProgress() {
    try (InboxRedriver running = inbox.redriver((delivery, work) -> {})) {
      running.start();
      Ran ran = twinbox("redrive", "--all", "--yes", "--rate", "1000", "--wait", "120");
      assertThat(ran.exitCode()).isZero();
      assertThat(ran.out())
          .contains("Redrive 1: 2 messages of consumer billing")
          .contains("2 of 2 processed, 0 duplicates, 0 failed, 0 waiting: finished.");
    }
    assertThat(twinbox("redrive", "--all", "--yes").out())
        .contains("No quarantined messages match");
  }

  @Test
  void redriveEndsWithOneWhereAMessageComesBack() throws JsonProcessingException {
    try (InboxRedriver running =
        inbox.redriver(
            (delivery, work) -> {
              throw new IllegalStateException("Still none");
            })) {
      running.start();
      Ran ran = twinbox("redrive", "--number", "1", "--yes", "--wait", "--json");
      assertThat(ran.exitCode()).isEqualTo(1);
      assertThat(json(ran).get(0).get("failed").asLong()).isEqualTo(1);
    }
    assertThat(twinbox("list").out()).contains("Still none");
  }

  @Test
  void aRedriveCanBeStopped() {
    twinbox("redrive", "--all", "--yes");
    Ran ran = twinbox("redrive", "--stop", "1");
    assertThat(ran.exitCode()).isZero();
    assertThat(ran.out()).contains("2 messages wait no longer");
  }

  @Test
  void whatIsBeyondTheHorizonNeedsTheOperatorsWord() throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "update twinbox.inbox_consumer set refuses_from = refuses_from - interval '60 days',"
              + " kept_from = kept_from - interval '60 days'");
    }
    Inbox experienced =
        Inbox.builder().dataSource(database.dataSource()).consumer("billing").build();
    experienced.receive(
        delivery(uuid7(Instant.now().minus(Duration.ofDays(30))), "old"), (delivery, work) -> {});

    Ran refused = twinbox("redrive", "--reason", "older-than-dedup-horizon", "--yes");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err()).contains("beyond the dedup horizon").contains("--beyond-horizon");
    Ran meant =
        twinbox("redrive", "--reason", "older-than-dedup-horizon", "--yes", "--beyond-horizon");
    assertThat(meant.exitCode()).isZero();
  }

  @Test
  void aPassIsGivenByCause() {
    assertThat(twinbox("pass", "--error", "java.lang.IllegalStateException", "--count", "2").out())
        .contains("2 messages are let through");
  }

  @Test
  void whatIsWrongIsNamedWithItsRemedy() {
    assertThat(twinbox("list", "--reason", "bad-luck").err())
        .contains("--reason is none of")
        .contains("unknown-type");
    assertThat(twinbox("list", "--before", "yesterday").err()).contains("2026-11-22T07:00:00Z");
    assertThat(twinbox("list", "--limit", "0").exitCode()).isEqualTo(2);
    assertThat(twinbox("redrive", "--all", "--yes", "--rate", "0").exitCode()).isEqualTo(2);
    assertThat(twinbox().err()).contains("list, show, group");
    Ran none =
        Ran.twinbox(
            "quarantine",
            "list",
            "--schema",
            "none",
            "--db-url",
            database.jdbcUrl(),
            "--db-user",
            database.user());
    assertThat(none.exitCode()).isEqualTo(1);
    assertThat(none.err()).contains("not accessible").hasLineCount(1);
  }

  private Ran twinbox(String... arguments) {
    return Ran.twinbox(
        Stream.of(
                Stream.of("quarantine"),
                Stream.of(arguments),
                arguments.length == 0
                    ? Stream.<String>of()
                    : Stream.of("--db-url", database.jdbcUrl(), "--db-user", database.user()))
            .flatMap(part -> part)
            .toArray(String[]::new));
  }

  private static JsonNode json(Ran ran) throws JsonProcessingException {
    return JsonMapper.builder().build().readTree(ran.out());
  }

  private static Delivery delivery(String id, String payload) {
    return Delivery.builder()
        .id(id)
        .source("/shop")
        .type("order.placed")
        .key("key")
        .payload(payload.getBytes(UTF_8))
        .origin("test:" + id)
        .build();
  }

  private static String uuid7(Instant time) {
    UUID random = UUID.randomUUID();
    long high = time.toEpochMilli() << 16 | 0x7000 | (random.getMostSignificantBits() & 0xfff);
    return new UUID(high, random.getLeastSignificantBits()).toString();
  }
}
