package dev.twinbox.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.migrations.Migrations;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAsideMessage;
import dev.twinbox.testkit.TestPostgres;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** What a message says can be recorded in any database, and comes back as it was. */
@Timeout(120)
class InboxEncodingTest {
  private static final String HOSTILE = "k\u0000 \\u0041 é 鍵 🔑 \ud83d \udd11";

  @ParameterizedTest
  @ValueSource(strings = {"UTF8", "LATIN1", "LATIN2", "WIN1252", "EUC_JP", "KOI8R", "SQL_ASCII"})
  void anyTextIsKeptInAnyDatabase(String encoding) {
    DataSource database = database(encoding);
    Inbox inbox =
        Inbox.builder()
            .dataSource(database)
            .consumer("rechnung-🔑")
            .expectDestinations("kafka:orders")
            .backoff(Backoff.exponential(Duration.ofMillis(1)).giveUpAfter(2))
            .build();
    Delivery refused = message("id of " + HOSTILE, HOSTILE);
    Delivery given = message(Messages.id(), "kafka:orders");
    Handler failing =
        (delivery, work) -> {
          throw new IllegalStateException("Not for " + HOSTILE);
        };

    assertThat(inbox.receive(refused, failing)).isInstanceOf(Receipt.Quarantined.class);
    assertThat(inbox.receive(refused.again(), failing)).isInstanceOf(Receipt.Quarantined.class);
    assertThat(inbox.receive(given, failing)).isInstanceOf(Receipt.Failed.class);
    assertThat(inbox.receive(given.again(), failing)).isInstanceOf(Receipt.Quarantined.class);

    Quarantine quarantine = Quarantine.of(database, "twinbox");
    List<SetAsideMessage> kept = quarantine.list(Selection.all());
    assertThat(kept).hasSize(2);
    assertThat(kept.get(0))
        .satisfies(
            message -> {
              assertThat(message.id()).isEqualTo(refused.id());
              assertThat(message.key()).isEqualTo(HOSTILE);
              assertThat(message.destination()).isEqualTo(HOSTILE);
              assertThat(message.headers()).isEqualTo(refused.headers());
            });
    assertThat(kept.get(1).error()).contains("Not for k\\u0000", "\\ud83d \\udd11");
    assertThat(
            quarantine
                .preview(
                    Selection.all()
                        .consumer("rechnung-🔑")
                        .ids(List.of(String.valueOf(refused.id()))))
                .count())
        .isEqualTo(1);
    quarantine.redrive(
        Selection.all().reason(QuarantineReason.ATTEMPTS_EXHAUSTED.code()), Act.by("Zoë 🔑"));
    try (InboxRedriver redriver =
        inbox.redriver(
            (delivery, work) -> {
              assertThat(delivery.headers()).isEqualTo(given.headers());
              assertThat(delivery.source()).isEqualTo(given.source());
              assertThat(delivery.key()).isEqualTo(given.key());
              assertThat(delivery.payload()).isEqualTo(given.payload());
            })) {
      redriver.runOnce();
    }
    assertThat(quarantine.list(Selection.all())).hasSize(1);
    assertThat(quarantine.redriveProgress(1).map(Redrive::processed)).isEqualTo(Optional.of(1L));
    quarantine.discard(Selection.all(), Act.by("Zoë 🔑"));
  }

  /** Whoever was registered under a name of the database's own letters stays who he is. */
  @ParameterizedTest
  @CsvSource({"LATIN1, grün", "EUC_JP, 請求", "LATIN2, łódź", "UTF8, 🔑"})
  void aNameThatFitsStaysAsItIs(String encoding, String name) throws SQLException {
    DataSource database = database(encoding);

    Inbox inbox = Inbox.builder().dataSource(database).consumer(name).build();
    inbox.receive(Messages.delivery(null), (delivery, work) -> {});
    assertThat(Quarantine.of(database, "twinbox").preview(Selection.all().consumer(name)).count())
        .isEqualTo(1);

    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select consumer from twinbox.inbox_consumer")) {
      row.next();
      assertThat(row.getString(1)).isEqualTo(name);
    }
  }

  private static Delivery message(@Nullable String id, String destination) {
    return Delivery.builder()
        .id(id)
        .source("/" + HOSTILE)
        .type("type " + HOSTILE)
        .destination(destination)
        .key(HOSTILE)
        .contentType("text/" + HOSTILE)
        .headers(Map.of("name " + HOSTILE, HOSTILE, "plain", "text \\u0042"))
        .payload("🔑".getBytes(StandardCharsets.UTF_8))
        .origin("test:" + HOSTILE)
        .build();
  }

  private static DataSource database(String encoding) {
    TestPostgres server = TestPostgres.shared();
    var template = server.createDatabase();
    String name = "enc_" + UUID.randomUUID().toString().replace("-", "");
    try (Connection connection = template.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create database "
              + name
              + " encoding '"
              + encoding
              + "' lc_collate 'C' lc_ctype 'C' template template0");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setURL(template.jdbcUrl().replace(template.name(), name));
    source.setUser(template.user());
    Migrations.apply(source);
    return source;
  }
}
