package dev.twinbox.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Examining;
import dev.twinbox.broker.doctor.Severity;
import dev.twinbox.testkit.TransactionPooler;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A pooler that lends its connections for single transactions, and the driver's own settings. */
class TransactionPoolerInboxTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final TransactionPooler pooler = TransactionPooler.to(database.port(), 2);

  @AfterEach
  void close() {
    pooler.close();
    database.close();
  }

  @Test
  void everyMessageTakesEffectOnceThoughPreparedStatementsVanish() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try (HikariDataSource pool = pooled("")) {
      Inbox inbox = Inbox.builder().dataSource(pool).consumer("billing").build();
      List<Future<List<Receipt>>> runs = new ArrayList<>();
      for (int thread = 0; thread < 3; thread++) {
        runs.add(
            threads.submit(
                () -> {
                  List<Receipt> receipts = new ArrayList<>();
                  for (int i = 0; i < 12; i++) {
                    List<Delivery> batch = Stream.generate(Messages::delivery).limit(3).toList();
                    receipts.addAll(inbox.receiveAll(batch, InboxDatabase::effect));
                    receipts.addAll(inbox.receiveAll(batch, InboxDatabase::effect));
                  }
                  return receipts;
                }));
      }
      List<Receipt> all = new ArrayList<>();
      for (Future<List<Receipt>> run : runs) {
        all.addAll(run.get());
      }

      assertThat(all).filteredOn(r -> r instanceof Receipt.Processed).hasSize(108);
      assertThat(all).filteredOn(r -> r instanceof Receipt.Duplicate).hasSize(108);
      assertThat(database.effects()).hasSize(108).doesNotHaveDuplicates();
      assertThat(database.quarantined()).isEmpty();
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void theDoctorTellsOfTheDriversSettingAndOfNothingWithoutIt() {
    try (HikariDataSource named = pooled("");
        HikariDataSource unnamed = pooled("?prepareThreshold=0")) {
      assertThat(examined(named).findings())
          .singleElement()
          .satisfies(
              f -> {
                assertThat(f.code()).isEqualTo("named-statements-behind-proxy");
                assertThat(f.severity()).isEqualTo(Severity.WARNING);
                assertThat(f.remedy()).contains("prepareThreshold=0");
              });
      assertThat(examined(unnamed).findings()).isEmpty();
      assertThat(
              new Diagnosis(Examining.database(database.dataSource(), "inbox", c -> List.of()))
                  .findings())
          .isEmpty();
    }
  }

  private static Diagnosis examined(HikariDataSource pool) {
    return new Diagnosis(Examining.database(pool, "inbox", connection -> List.of()));
  }

  private HikariDataSource pooled(String settings) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(
        "jdbc:postgresql://127.0.0.1:" + pooler.port() + "/" + database.name() + settings);
    config.setUsername(database.user());
    config.setMaximumPoolSize(6);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(10_000);
    return new HikariDataSource(config);
  }
}
