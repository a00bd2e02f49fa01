package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.testkit.TransactionPooler;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A pooler that lends its connections for single transactions, and the driver's own settings. */
class TransactionPoolerTest {
  private static final int MESSAGES = 160;

  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private final TransactionPooler pooler =
      TransactionPooler.to(database.database().port(), /* connections= */ 4);
  private final MemoryBroker broker = new MemoryBroker();

  @AfterEach
  void close() {
    broker.close();
    pooler.close();
    database.close();
  }

  @Test
  void theRelayPublishesOnceAndStaysHealthyThoughPreparedStatementsVanish() throws SQLException {
    try (HikariDataSource pool = pooled();
        Relay relay =
            Relay.builder()
                .dataSource(pool)
                .broker(broker.borrowed())
                .settings(DrainSettings.DEFAULTS.withLease(Duration.ofSeconds(4)))
                .build()
                .start()) {
      await().until(() -> relay.heldLanes().size() == 4);
      List<UUID> committed = new ArrayList<>();
      try (Connection producer = database.begin()) {
        for (int i = 0; i < MESSAGES; i++) {
          committed.add(database.insert(producer, i % 4, "k" + i % 4));
          producer.commit();
        }
      }

      await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() >= MESSAGES);

      assertThat(relay.health().problems()).isEmpty();
      assertThat(relay.status().lanes()).hasSize(8);
      assertThat(broker.kept())
          .extracting(OutboxRecord::id)
          .containsExactlyInAnyOrderElementsOf(committed);
      assertThat(
              database.number(
                  "select count(*) from twinbox.outbox_lane_log where action = 'claim'"))
          .isEqualTo(4);
    }
  }

  private HikariDataSource pooled() {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.database().jdbcUrl(pooler.port()));
    config.setUsername(database.database().user());
    config.setMaximumPoolSize(12);
    config.setConnectionTimeout(10_000);
    return new HikariDataSource(config);
  }
}
