package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.jooq.exception.DataAccessException;
import org.junit.jupiter.api.Test;

/** Databases that are not in UTF-8, which earlier times left behind. */
final class EncodingTest {
  private static final String GOOD = "gr\u00fcn";
  private static final String KEY = "\ud83d\udd11";

  private final Outbox outbox = Outbox.builder().source("/shop").build();

  @Test
  void aCharacterThatTheDatabaseLacksIsRefusedAndTheTransactionGoesOn() throws SQLException {
    TestOutbox test = in("LATIN1");
    try (Connection connection = test.begin()) {
      TestOutbox.order(connection, "1");
      Map<String, Message> refused =
          Map.of(
              "key", message().key("a" + KEY),
              "type", message().type("\u20ac"),
              "header", message().header("name", "\u0142"),
              "dedupKey", message().dedupKey(KEY),
              "destination", Message.to("rabbitmq:events/" + KEY).type("t").text("x"));
      refused.forEach(
          (field, message) -> {
            assertThatThrownBy(() -> outbox.enqueue(connection, message))
                .isInstanceOfSatisfying(
                    InvalidMessageException.class, e -> assertThat(e.field()).isEqualTo(field))
                .hasMessageContainingAll("U+", "LATIN1", "UTF8", "index");
            assertThatThrownBy(
                    () -> outbox.enqueueAll(connection, List.of(message().key("b"), message)))
                .isInstanceOf(InvalidMessageException.class);
          });
      Outbox elsewhere = Outbox.builder().source("/" + "\u0142").build();
      assertThatThrownBy(() -> elsewhere.enqueue(connection, message()))
          .isInstanceOfSatisfying(
              InvalidMessageException.class, e -> assertThat(e.field()).isEqualTo("source"));
      outbox.enqueue(connection, message().key(GOOD).header("name", GOOD).text(KEY));
      connection.commit();
    }
    assertThat(test.keys()).containsExactly(GOOD);
    assertThat(test.orders()).containsExactly("1");
  }

  @Test
  void anEncodingThatStoresEverythingRefusesNothing() throws SQLException {
    TestOutbox test = in("SQL_ASCII");
    try (Connection connection = test.begin()) {
      outbox.enqueue(connection, message().key(KEY));
      connection.commit();
    }
    assertThat(test.keys()).containsExactly(KEY);
  }

  @Test
  void whereOnlyTheServerKnowsItsErrorNamesTheRemedy() throws SQLException {
    TestOutbox test = in("EUC_JIS_2004");
    try (Connection connection = test.begin()) {
      outbox.enqueue(connection, message().key("\u9375"));
      assertThatThrownBy(() -> outbox.enqueue(connection, message().key(KEY)))
          .isInstanceOf(DataAccessException.class)
          .hasMessageContainingAll("22P05", "EUC_JIS_2004", "encoding is UTF8");
      connection.rollback();
    }
  }

  /** With allowEncodingChanges the driver goes on in UTF-8, which the server would misread. */
  @Test
  void aSessionInAnotherEncodingSpoilsNothing() throws SQLException {
    TestOutbox test = new TestOutbox();
    String url = test.database().jdbcUrl();
    try (Connection connection =
        DriverManager.getConnection(
            url + (url.contains("?") ? "&" : "?") + "allowEncodingChanges=true",
            test.database().user(),
            "")) {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.execute("set client_encoding = 'LATIN1'");
      }
      for (String text : List.of(KEY, GOOD)) {
        assertThatThrownBy(() -> outbox.enqueue(connection, message().key(text)))
            .isInstanceOf(InvalidMessageException.class)
            .hasMessageContaining("client_encoding LATIN1");
      }
      outbox.enqueue(connection, message().key("green"));
      connection.commit();
    }
    assertThat(test.keys()).containsExactly("green");
  }

  private static TestOutbox in(String encoding) {
    return new TestOutbox(TestPostgres.shared().createDatabase(encoding));
  }

  private static Message message() {
    return Message.to("kafka:orders").type("order.placed").text("x");
  }
}
