package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.twinbox.relay.OutboxDatabase;
import java.io.IOException;
import java.sql.SQLException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
class DeadLettersCommandTest {
  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);

  @BeforeEach
  void threeDeadLetters() throws SQLException {
    database.execute(
        "insert into twinbox.outbox_dead_letter (lane, position, id, created_at, destination, key,"
            + " type, headers, payload, reason, error, attempts, first_failed_at, blocks_key)"
            + " select 0, n, ('ffffffff-0000-7000-8000-00000000000' || n)::uuid, now(),"
            + " 'kafka:orders', 'k' || n, 'order.placed', '{trace,abc}', convert_to('hello ' || n,"
            + " 'UTF8'), case n when 3 then 'nacked' else 'too-large' end, 'it said no', n, now(),"
            + " n = 3 from generate_series(1, 3) n");
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void listAndGroupShowWhatThereIsWithoutPayloads() throws IOException {
    Ran listed = twinbox("list");
    assertThat(listed.exitCode()).isZero();
    assertThat(listed.out())
        .contains("kafka:orders", "too-large", "nacked, blocks its key", "order.placed")
        .doesNotContain("hello");
    JsonNode groups = json(twinbox("group", "--json"));
    assertThat(groups).hasSize(2);
    assertThat(groups.get(0).get("reason").asText()).isEqualTo("too-large");
    assertThat(groups.get(0).get("count").asInt()).isEqualTo(2);
    assertThat(json(twinbox("list", "--json", "--reason", "nacked"))).hasSize(1);
    assertThat(json(twinbox("list", "--json", "--beyond", "2"))).hasSize(1);
  }

  @Test
  void showTellsTheWholeMessageAndThePayloadOnlyWhenAskedFor() throws IOException {
    assertThat(twinbox("show", "--number", "1").out())
        .contains("trace", "it said no")
        .doesNotContain("hello");
    assertThat(json(twinbox("show", "--number", "1", "--payload")).get("payload").asText())
        .isEqualTo("hello 1");
    Ran none = twinbox("show", "--number", "99");
    assertThat(none.exitCode()).isEqualTo(1);
    assertThat(none.err()).contains("No dead letters match");
  }

  @Test
  void aRedriveWantsADeliberateSelectionAndAConfirmation() throws SQLException {
    Ran vague = twinbox("redrive", "--yes");
    assertThat(vague.exitCode()).isEqualTo(2);
    assertThat(vague.err()).contains("Say which", "--all");
    Ran unconfirmed = twinbox("redrive", "--reason", "too-large");
    assertThat(unconfirmed.exitCode()).isEqualTo(1);
    assertThat(unconfirmed.err()).contains("This would redrive 2 messages", "--count 2");
    assertThat(twinbox("redrive", "--reason", "too-large", "--count", "3").err())
        .contains("There are 2 messages to redrive, not 3");
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isEqualTo(3);
    assertThat(twinbox("redrive", "--all", "--yes", "--rate", "0").exitCode()).isEqualTo(2);

    Ran done = twinbox("redrive", "--reason", "too-large", "--count", "2", "--by", "ann");

    assertThat(done.exitCode()).isZero();
    assertThat(done.out()).contains("2 messages are on their way again.");
    assertThat(database.number("select count(*) from twinbox.outbox")).isEqualTo(2);
    assertThat(twinbox("audit").out()).contains("ann", "redrive", "reason = too-large");
  }

  @Test
  void aRedriveBeyondTheHorizonSaysSoAndAsksForTheOperatorsWord() throws SQLException {
    database.execute(
        "update twinbox.outbox_dead_letter set id = '01900000-0000-7000-8000-000000000001' where"
            + " number = 1");
    Ran refused = twinbox("redrive", "--number", "1", "--yes");
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err()).contains("1 of 1 messages are older", "--beyond-horizon");
    assertThat(twinbox("redrive", "--number", "1", "--yes", "--beyond-horizon").exitCode())
        .isZero();
  }

  @Test
  void aBlockedKeyIsListedAndADiscardFreesIt() throws IOException {
    JsonNode blocked = json(twinbox("blocked", "--json"));
    assertThat(blocked).hasSize(1);
    assertThat(blocked.get(0).get("key").asText()).isEqualTo("k3");
    assertThat(twinbox("discard", "--key", "k3", "--count", "1").exitCode()).isZero();
    assertThat(twinbox("blocked").out()).contains("No key is blocked.");
    assertThat(json(twinbox("list", "--json"))).hasSize(2);
    assertThat(json(twinbox("list", "--json", "--discarded"))).hasSize(3);
    assertThat(twinbox("restore", "--all", "--yes").out()).contains("1 messages are dead letters");
  }

  private Ran twinbox(String... arguments) {
    return Ran.twinbox(
        Stream.of(
                Stream.of("dead-letters"),
                Stream.of(arguments),
                Stream.of(
                    "--db-url",
                    database.database().jdbcUrl(),
                    "--db-user",
                    database.database().user()))
            .flatMap(each -> each)
            .toArray(String[]::new));
  }

  private static JsonNode json(Ran ran) throws IOException {
    assertThat(ran.err()).isEmpty();
    return JsonMapper.builder().build().readTree(ran.out());
  }
}
