package dev.twinbox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.OutboxDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands about lanes, retention and the archive. */
@Tag("essential")
class StorageCommandsTest {
  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void lanesAreListedAndChanged() throws SQLException {
    assertThat(twinbox("lanes").out()).contains("kafka", "0 to 3", "rabbitmq", "4 to 7");

    Ran changed = twinbox("lanes", "--broker", "kafka", "--count", "6", "--by", "ann");

    assertThat(changed.exitCode()).isZero();
    assertThat(changed.out()).contains("kafka has 6 lanes now, 8 to 13", "Lanes 0 to 3");
    assertThat(twinbox("lanes", "--broker", "kafka").out()).contains("8 to 13", "[0, 1, 2, 3]");
    assertThat(twinbox("lanes", "--broker", "kafka", "--count", "6").out())
        .contains("has 6 lanes already");
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_audit where action = 'lanes' and done_by ="
                    + " 'ann'"))
        .isEqualTo(1);
  }

  @Test
  void aWrongNumberOrBrokerOfLanesIsRefused() {
    Ran nameless = twinbox("lanes", "--count", "6");
    assertThat(nameless.exitCode()).isEqualTo(2);
    assertThat(nameless.err()).contains("--broker");
    assertThat(twinbox("lanes", "--broker", "kafka", "--count", "0").err())
        .contains("--count is 0; choose 1 to 1024");
    Ran unknown = twinbox("lanes", "--broker", "kafak", "--count", "6");
    assertThat(unknown.exitCode()).isEqualTo(1);
    assertThat(unknown.err()).contains("no broker 'kafak'", "kafka, rabbitmq");
  }

  @Test
  void lanesStayAsTheyAreWhileATransactionThatHasEnqueuedIsOpen() throws SQLException {
    try (Connection open = database.begin()) {
      database.insert(open, 0, "k");

      Ran busy = twinbox("lanes", "--broker", "kafka", "--count", "6", "--wait", "1");

      assertThat(busy.exitCode()).isEqualTo(1);
      assertThat(busy.err()).contains("Nothing was changed", "--wait");
    }
    assertThat(twinbox("lanes", "--broker", "kafka").out()).contains("0 to 3");
  }

  @Test
  void retentionIsShownAndSet() throws SQLException {
    assertThat(twinbox("retention").out())
        .containsPattern("archive +off")
        .containsPattern("dead-letters +180 days");

    Ran set = twinbox("retention", "--archive", "7d", "--dedup", "12h", "--audit", "off");

    assertThat(set.exitCode()).isZero();
    assertThat(set.out())
        .containsPattern("archive +7 days")
        .containsPattern("dedup +12:00:00")
        .containsPattern("audit +off");
    assertThat(
            database.number(
                "select count(*) from pg_inherits where inhparent ="
                    + " 'twinbox.outbox_archive'::regclass"))
        .isEqualTo(3);
  }

  @Test
  void aTimeThatIsNoneIsRefusedAndChangesNothing() {
    Ran wrong = twinbox("retention", "--archive", "7 days");
    assertThat(wrong.exitCode()).isEqualTo(2);
    assertThat(wrong.err()).contains("--archive: '7 days' is no time", "12h or 7d, or off");
    assertThat(twinbox("retention", "--discarded", "off").exitCode()).isEqualTo(2);
    assertThat(twinbox("retention", "--audit", "1h", "--archive", "7d").exitCode()).isEqualTo(1);
    assertThat(twinbox("retention").out()).containsPattern("archive +off");
  }

  @Test
  void aReplayWantsADeliberateSelectionAndAConfirmation() throws SQLException {
    twinbox("retention", "--archive", "7d");
    database.execute(
        "insert into twinbox.outbox_archive (lane, position, id, created_at, destination, key,"
            + " type) select 0, n, twinbox.inbox_bound(now() + n * interval '1 ms'), now(),"
            + " 'kafka:a', 'k', 't' from generate_series(1, 3) n");
    Ran vague = twinbox("replay", "--yes");
    assertThat(vague.exitCode()).isEqualTo(2);
    assertThat(vague.err()).contains("Say which", "--all");
    assertThat(twinbox("replay", "--from", "yesterday").err())
        .contains("'--from'", "'yesterday' is no time");
    Ran unconfirmed = twinbox("replay", "--key", "k");
    assertThat(unconfirmed.exitCode()).isEqualTo(1);
    assertThat(unconfirmed.err()).contains("This would replay 3 messages", "--count 3");
    assertThat(twinbox("replay", "--key", "k", "--count", "2").err())
        .contains("There are 3 messages to replay, not 2");
    assertThat(database.number("select count(*) from twinbox.outbox")).isZero();

    Ran done = twinbox("replay", "--key", "k", "--count", "3", "--by", "ann");

    assertThat(done.exitCode()).isZero();
    assertThat(done.out()).contains("3 messages are on their way again.");
    assertThat(done.err()).contains("3 of 3, up to number 3");
    assertThat(database.number("select count(*) from twinbox.outbox")).isEqualTo(3);
    assertThat(twinbox("replay", "--key", "none", "--yes").out()).contains("0 messages");
  }

  private Ran twinbox(String... arguments) {
    return Ran.twinbox(
        Stream.concat(
                Stream.of(arguments),
                Stream.of(
                    "--db-url",
                    database.database().jdbcUrl(),
                    "--db-user",
                    database.database().user()))
            .toArray(String[]::new));
  }
}
