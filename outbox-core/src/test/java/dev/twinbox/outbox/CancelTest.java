package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
final class CancelTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();
  private final Message later =
      Message.to("kafka:orders").key("k").type("t").text("x").delay(Duration.ofDays(1));

  @Test
  void aWaitingMessageIsTakenBackWithTheTransactionAndOnce() throws SQLException {
    try (Connection connection = test.begin()) {
      UUID id = outbox.enqueue(connection, later).id();
      connection.commit();

      assertThat(outbox.cancel(connection, id)).isTrue();
      connection.rollback();
      assertThat(waiting()).isEqualTo("1");

      assertThat(outbox.cancel(connection, id)).isTrue();
      TestOutbox.order(connection, "cancelled with it");
      connection.commit();
      assertThat(waiting()).isEqualTo("0");
      assertThat(test.orders()).hasSize(1);
      assertThat(outbox.cancel(connection, id)).isFalse();
    }
  }

  @Test
  void whatIsDueOrUnknownIsNotCancelled() throws SQLException {
    try (Connection connection = test.begin()) {
      UUID due = outbox.enqueue(connection, later.delay(Duration.ZERO)).id();
      assertThat(outbox.cancel(connection, due)).isFalse();
      assertThat(outbox.cancel(connection, UUID.randomUUID())).isFalse();
      connection.commit();
    }
    assertThat(test.keys()).containsExactly("k");
  }

  @Test
  void withinTheTransactionThatEnqueuedItAndByJooq() {
    DSL.using(test.dataSource(), SQLDialect.POSTGRES)
        .transaction(
            configuration -> {
              UUID id = outbox.enqueue(configuration.dsl(), later).id();
              assertThat(outbox.cancel(configuration.dsl(), id)).isTrue();
            });
    assertThat(waiting()).isEqualTo("0");
  }

  @Test
  void itsDedupKeyStaysTaken() throws SQLException {
    try (Connection connection = test.begin()) {
      UUID id = outbox.enqueue(connection, later.dedupKey("event")).id();
      assertThat(outbox.cancel(connection, id)).isTrue();
      assertThat(outbox.enqueue(connection, later.dedupKey("event")))
          .isEqualTo(new Enqueued(id, true));
      connection.commit();
    }
    assertThat(waiting()).isEqualTo("0");
  }

  @Test
  void autoCommitIsRefused() throws SQLException {
    try (Connection connection = test.dataSource().getConnection()) {
      assertThatThrownBy(() -> outbox.cancel(connection, UUID.randomUUID()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("auto-commit");
    }
  }

  private String waiting() {
    return test.one("select count(*) from twinbox.outbox_scheduled");
  }
}
