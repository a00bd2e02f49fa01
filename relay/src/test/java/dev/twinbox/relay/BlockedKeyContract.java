package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.contract.Arrived;
import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.drain.RetryPolicy.AfterGrace;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes of a key behind a dead letter that blocks it, at a real broker. */
public abstract class BlockedKeyContract {
  private enum Why {
    TOO_LARGE,
    EXPIRED,
    MISSING
  }

  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private @Nullable Relay relay;

  protected abstract BrokerUnderTest server();

  @AfterEach
  void close() {
    if (relay != null) {
      relay.close();
    }
    database.close();
  }

  @ParameterizedTest
  @EnumSource(Why.class)
  void nothingOfItGoesOutUntilTheDeadLetterIsRedriven(Why why) throws Exception {
    BrokerUnderTest server = server();
    String destination = server.newDestination();
    String missing = server.missingDestination();
    int lane = destination.startsWith("kafka") ? 0 : 4;
    List<String> key = new ArrayList<>();
    List<String> others = new ArrayList<>();
    try (Connection producer = database.begin()) {
      // So that the key's partition is known to keep its order: several may be under way then.
      key.add(insert(producer, lane, destination, "k", 10, false));
      String culprit =
          insert(
              producer,
              lane,
              why == Why.MISSING ? missing : destination,
              "k",
              why == Why.TOO_LARGE ? server.tooManyBytes() : 10,
              why == Why.EXPIRED);
      key.add(culprit);
      for (int i = 0; i < 4; i++) {
        key.add(insert(producer, lane, destination, "k", 10, false));
        others.add(insert(producer, lane, destination, "other" + i, 10, false));
      }
      producer.commit();
    }
    relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(server.broker(Duration.ofMillis(300), Duration.ofSeconds(20)))
            .settings(
                DrainSettings.DEFAULTS.withRetry(
                    RetryPolicy.DEFAULTS
                        .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
                        .withGracePeriod(Duration.ZERO, AfterGrace.DEAD_LETTER)
                        .withBlockKeyOnDeadLetter(true)))
            .development()
            .build()
            .start();
    patiently().until(() -> number("outbox_dead_letter where blocks_key") == 1);
    patiently().until(() -> number("outbox_parked where blocked") == 4);
    patiently()
        .until(() -> number("outbox_lane_state where lane = " + lane + " and target is null") == 1);
    List<Arrived> before = server.read(destination);
    assertThat(ids(before, "k")).containsOnly(key.get(0));
    assertThat(before).extracting(Arrived::id).containsAll(others);

    database.execute(
        "update twinbox.outbox_dead_letter set payload = 'x', destination = '%s'"
            .formatted(destination));
    DeadLetterQueue.in(database.dataSource(), "twinbox")
        .redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());
    patiently().until(() -> number("outbox_parked") == 0);

    List<String> all = new ArrayList<>(ids(before, "k"));
    List<String> after = ids(server.read(destination), "k");
    // A broker whose messages are taken by reading them has only the later ones.
    all.addAll(
        after.subList(
            after.isEmpty() || !after.get(0).equals(key.get(0)) ? 0 : all.size(), after.size()));
    assertThat(all.stream().distinct()).containsExactlyElementsOf(key);
  }

  private static List<String> ids(List<Arrived> arrived, String key) {
    return arrived.stream().filter(each -> key.equals(each.key())).map(Arrived::id).toList();
  }

  private static ConditionFactory patiently() {
    return await().atMost(Duration.ofSeconds(60));
  }

  private long number(String from) throws SQLException {
    return database.number("select count(*) from twinbox." + from);
  }

  private static String insert(
      Connection producer, int lane, String destination, String key, int bytes, boolean expired)
      throws SQLException {
    UUID id = UUID.randomUUID();
    try (PreparedStatement statement =
        producer.prepareStatement(
            "insert into twinbox.outbox (lane, id, destination, key, type, headers, payload,"
                + " expires_at) values (?, ?, ?, ?, 'test', '{ce_source,/test}', ?, case when ?"
                + " then clock_timestamp() - interval '1 second' end)")) {
      statement.setInt(1, lane);
      statement.setObject(2, id);
      statement.setString(3, destination);
      statement.setString(4, key);
      statement.setBytes(5, new byte[bytes]);
      statement.setBoolean(6, expired);
      statement.executeUpdate();
    }
    return id.toString();
  }
}
