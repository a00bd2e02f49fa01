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
class ScheduledCommandTest {
  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);

  @BeforeEach
  void threeWait() throws SQLException {
    database.execute(
        "insert into twinbox.outbox_scheduled (due_at, id, broker, hash, destination, key, type,"
            + " headers, payload) select '2100-01-04T00:00:00Z'::timestamptz - n * interval '1 day',"
            + " ('ffffffff-0000-7000-8000-00000000000' || n)::uuid, 'kafka', n, 'kafka:reminders',"
            + " 'k' || n, 'reminder', '{trace,abc}', convert_to('hello ' || n, 'UTF8') from"
            + " generate_series(1, 3) n");
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void listShowsWhatIsDueFirstWithoutPayloads() throws IOException {
    Ran listed = twinbox("list");
    assertThat(listed.exitCode()).isZero();
    assertThat(listed.out())
        .contains("kafka:reminders", "2100-01-01T00:00:00Z")
        .doesNotContain("hello");
    JsonNode all = json(twinbox("list", "--json"));
    assertThat(all).hasSize(3);
    assertThat(all.get(0).get("key").asText()).isEqualTo("k3");
    assertThat(json(twinbox("list", "--json", "--key", "k1"))).hasSize(1);
    assertThat(json(twinbox("list", "--json", "--due-before", "2100-01-02T12:00:00Z"))).hasSize(2);
    assertThat(json(twinbox("list", "--json", "--limit", "1"))).hasSize(1);
    assertThat(twinbox("list", "--destination", "kafka:other").out())
        .contains("No scheduled messages match.");
    assertThat(twinbox("list", "--due-before", "tomorrow").exitCode()).isEqualTo(2);
  }

  @Test
  void showTellsTheWholeMessageAndThePayloadOnlyWhenAskedFor() throws IOException {
    String id = "ffffffff-0000-7000-8000-000000000001";
    assertThat(twinbox("show", "--id", id).out()).contains("trace").doesNotContain("hello");
    assertThat(json(twinbox("show", "--id", id, "--payload")).get("payload").asText())
        .isEqualTo("hello 1");
    Ran none = twinbox("show", "--id", "ffffffff-0000-7000-8000-000000000009");
    assertThat(none.exitCode()).isEqualTo(1);
    assertThat(none.err()).contains("No scheduled messages match");
  }

  @Test
  void aCancellationWantsADeliberateSelectionAndAConfirmationAndIsRecorded() throws SQLException {
    Ran vague = twinbox("cancel", "--yes");
    assertThat(vague.exitCode()).isEqualTo(2);
    assertThat(vague.err()).contains("Say which", "--all");
    Ran unconfirmed = twinbox("cancel", "--destination", "kafka:reminders");
    assertThat(unconfirmed.exitCode()).isEqualTo(1);
    assertThat(unconfirmed.err()).contains("This would cancel 3 messages", "--count 3");
    assertThat(waiting()).isEqualTo(3);

    Ran done = twinbox("cancel", "--key", "k2", "--count", "1", "--by", "ann");

    assertThat(done.exitCode()).isZero();
    assertThat(done.out()).contains("1 messages are cancelled.");
    assertThat(waiting()).isEqualTo(2);
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_audit where action = 'cancel' and done_by ="
                    + " 'ann' and selection = 'key = k2' and affected = 1"))
        .isEqualTo(1);
    assertThat(twinbox("cancel", "--all", "--yes").out()).contains("2 messages are cancelled.");
    assertThat(waiting()).isZero();
  }

  private long waiting() throws SQLException {
    return database.number("select count(*) from twinbox.outbox_scheduled");
  }

  private Ran twinbox(String... arguments) {
    return Ran.twinbox(
        Stream.of(
                Stream.of("scheduled"),
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
