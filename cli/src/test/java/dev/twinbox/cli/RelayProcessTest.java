package dev.twinbox.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.migrations.Migrations;
import dev.twinbox.outbox.Enqueued;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.testkit.Tally;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two worker processes on one database, one of which ends in the middle of its work. */
class RelayProcessTest {
  private static final Duration LEASE = Duration.ofSeconds(3);
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final int LANES = 4;
  private static final int KEYS = 40;

  @TempDir Path folder;

  private final TestKafka kafka = TestKafka.shared();
  private final TestDatabase database = TestPostgres.shared().createDatabase();
  private final String topic = "orders-" + UUID.randomUUID();
  private final Tally tally = new Tally();
  private final AtomicBoolean enough = new AtomicBoolean();
  private volatile long committed;
  private final List<RelayProcess> processes = new ArrayList<>();

  @BeforeEach
  void prepare() {
    Migrations.apply(database.dataSource());
    kafka.createTopic(topic, 4);
  }

  @AfterEach
  void end() {
    processes.forEach(RelayProcess::close);
  }

  @Test
  void aKilledRelaysLanesMoveToTheOtherWithinTheLeaseAndNothingIsLost() {
    RelayProcess survivor = start("survivor");
    RelayProcess victim = start("victim");
    awaitLanes(survivor, LANES / 2);
    awaitLanes(victim, LANES / 2);
    CompletableFuture<Void> writing = write();
    await("work is under way").atMost(LONG).until(() -> published() > 500);

    String killed = databaseTime();
    victim.process().destroyForcibly();
    awaitLanes(survivor, LANES);

    assertThat(takeover(survivor, killed)).isLessThan(LEASE.plusSeconds(2));
    balance(writing);
  }

  @Test
  void aRelayThatWasStoppedBeyondItsLeaseChangesNothingWhenItWakesUp() throws Exception {
    RelayProcess survivor = start("survivor");
    RelayProcess victim = start("victim");
    awaitLanes(survivor, LANES / 2);
    awaitLanes(victim, LANES / 2);
    CompletableFuture<Void> writing = write();
    await("work is under way").atMost(LONG).until(() -> published() > 500);

    String stopped = databaseTime();
    victim.signal("STOP");
    awaitLanes(survivor, LANES);
    assertThat(takeover(survivor, stopped)).isLessThan(LEASE.plusSeconds(2));
    long soFar = published();
    await("the survivor works").atMost(LONG).until(() -> published() > soFar + 500);
    victim.signal("CONT");
    await("it notices").atMost(LONG).until(() -> victim.said("was taken by another relay"));
    awaitLanes(victim, LANES / 2);
    awaitLanes(survivor, LANES / 2);

    balance(writing);
    assertThat(writtenAfterTakeover(stopped)).isZero();
  }

  private String databaseTime() {
    return query("select clock_timestamp()::text");
  }

  /** By the database's clock: until the last of the lanes was claimed. */
  private Duration takeover(RelayProcess survivor, String since) {
    String millis =
        query(
            "select (extract(epoch from max(written_at) - '%s'::timestamptz) * 1000)::bigint from"
                    .formatted(since)
                + " twinbox.outbox_lane_log where action = 'claim' and owner like '%s-%%' and"
                    .formatted(survivor.name())
                + " written_at > '%s'".formatted(since));
    return Duration.ofMillis(Long.parseLong(millis));
  }

  /** How often a claim of before that time has written after another relay had taken its lane. */
  private long writtenAfterTakeover(String since) {
    return Long.parseLong(
        query(
            "select count(*) from twinbox.outbox_lane_log w where exists (select 1 from"
                + " twinbox.outbox_lane_log former where former.claim_id = w.claim_id and"
                + " former.written_at <= '%1$s') and exists (select 1 from twinbox.outbox_lane_log"
                    .formatted(since)
                + " t where t.lane = w.lane and t.seq < w.seq and t.epoch > w.epoch)"));
  }

  private String query(String sql) {
    try (Connection connection = database.dataSource().getConnection();
        ResultSet rows = connection.createStatement().executeQuery(sql)) {
      rows.next();
      return rows.getString(1);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Tag("essential")
  @Test
  void aRelayThatIsToldToStopFinishesItsWorkFreesItsLanesAndExitsWithZero()
      throws InterruptedException {
    RelayProcess other = start("other");
    RelayProcess stopping = start("stopping");
    awaitLanes(other, LANES / 2);
    awaitLanes(stopping, LANES / 2);
    CompletableFuture<Void> writing = write();
    await("work is under way").atMost(LONG).until(() -> published() > 500);

    stopping.process().destroy();
    assertThat(stopping.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(stopping.process().exitValue()).isZero();
    assertThat(stopping.said("has stopped")).isTrue();
    assertThat(lanesOf(stopping)).isZero();

    awaitLanes(other, LANES);
    balance(writing);
  }

  private RelayProcess start(String name) {
    RelayProcess process =
        RelayProcess.start(folder, name, database, LEASE, kafka.bootstrapServers());
    processes.add(process);
    return process.awaitRunning();
  }

  private void awaitLanes(RelayProcess relay, int lanes) {
    await(relay.name() + " holds " + lanes + " lanes")
        .pollInterval(Duration.ofMillis(50))
        .atMost(LONG)
        .until(() -> lanesOf(relay) == lanes);
  }

  private int lanesOf(RelayProcess relay) {
    try (Connection connection = database.dataSource().getConnection();
        PreparedStatement statement =
            connection.prepareStatement(
                "select count(*) from twinbox.outbox_lane_state where broker = 'kafka' and owner"
                    + " like ? || '-%' and lease_until > clock_timestamp()")) {
      statement.setString(1, relay.name());
      try (ResultSet rows = statement.executeQuery()) {
        rows.next();
        return rows.getInt(1);
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** One transaction after the other, each with a message for every key. */
  private CompletableFuture<Void> write() {
    Outbox outbox = Outbox.builder().source("/test").build();
    return CompletableFuture.runAsync(
        () -> {
          try (Connection connection = database.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            for (int round = 1; !enough.get(); round++) {
              List<Message> messages = new ArrayList<>();
              for (int key = 0; key < KEYS; key++) {
                messages.add(
                    Message.to("kafka:" + topic).key("k" + key).type("t").text("r" + round));
              }
              List<Enqueued> enqueued = outbox.enqueueAll(connection, messages);
              connection.commit();
              for (int key = 0; key < KEYS; key++) {
                tally.committed(enqueued.get(key).id(), "k" + key, round);
              }
              committed += KEYS;
            }
          } catch (SQLException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private void balance(CompletableFuture<Void> writing) {
    enough.set(true);
    writing.join();
    await("everything is published")
        .pollInterval(Duration.ofMillis(500))
        .atMost(LONG)
        .until(() -> published() >= committed && ids().stream().distinct().count() == committed);
    ids().forEach(tally::published);
    assertThat(tally.check().balanced()).as("%s", tally.check()).isTrue();
  }

  /** Records in the topic, repeated ones included. */
  private long published() {
    return ids().size();
  }

  private List<UUID> ids() {
    return kafka.records(topic).stream()
        .map(r -> UUID.fromString(new String(r.headers().lastHeader("ce_id").value(), UTF_8)))
        .collect(Collectors.toList());
  }
}
