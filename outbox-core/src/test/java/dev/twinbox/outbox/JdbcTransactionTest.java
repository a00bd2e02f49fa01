package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
final class JdbcTransactionTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();

  @Test
  void aCommitKeepsTheMessage() throws SQLException {
    try (Connection connection = test.begin()) {
      TestOutbox.order(connection, "1");
      outbox.enqueue(connection, placed("1"));
      assertThat(test.keys()).as("before the commit").isEmpty();
      connection.commit();
    }
    assertThat(test.keys()).isEqualTo(test.orders()).containsExactly("1");
  }

  @Test
  void aRollbackTakesTheMessageWithIt() throws SQLException {
    try (Connection connection = test.begin()) {
      TestOutbox.order(connection, "1");
      outbox.enqueue(connection, placed("1"));
      outbox.enqueueAll(connection, List.of(placed("2"), placed("3")));
      connection.rollback();
    }
    assertThat(test.keys()).isEqualTo(test.orders()).isEmpty();
  }

  @Test
  void aRolledBackSavepointTakesItsMessagesWithIt() throws SQLException {
    try (Connection connection = test.begin()) {
      outbox.enqueue(connection, placed("1"));
      Savepoint savepoint = connection.setSavepoint();
      outbox.enqueue(connection, placed("2"));
      outbox.enqueueAll(connection, List.of(placed("3"), placed("4")));
      connection.rollback(savepoint);
      outbox.enqueue(connection, placed("5"));
      connection.commit();
    }
    assertThat(test.keys()).containsExactly("1", "5");
  }

  @Test
  void autoCommitIsRefusedWithTheRemedy() throws SQLException {
    try (Connection connection = test.dataSource().getConnection()) {
      assertThatThrownBy(() -> outbox.enqueue(connection, placed("1")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("auto-commit")
          .hasMessageContaining("Begin a transaction");
      assertThatThrownBy(() -> outbox.enqueueAll(connection, List.of(placed("1"))))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("auto-commit");
    }
    assertThat(test.keys()).isEmpty();
  }

  @Test
  void aConnectionLostDuringTheCommitLeavesAllOrNothing() throws SQLException {
    try (Connection connection = test.begin()) {
      TestOutbox.order(connection, "1");
      outbox.enqueue(connection, placed("1"));
      test.run(
          "select pg_terminate_backend(pid) from pg_stat_activity"
              + " where datname = current_database() and pid <> pg_backend_pid()");
      assertThatThrownBy(connection::commit).isInstanceOf(SQLException.class);
    }
    assertThat(test.keys()).isEqualTo(test.orders());
  }

  @Test
  void theConnectionIsNeitherCommittedNorClosed() throws SQLException {
    try (Connection connection = test.begin()) {
      outbox.enqueue(connection, placed("1"));
      assertThat(connection.isClosed()).isFalse();
      assertThat(connection.getAutoCommit()).isFalse();
      assertThat(test.keys()).isEmpty();
      connection.rollback();
    }
  }

  private static Message placed(String id) {
    return Message.to("kafka:orders").key(id).type("order.placed").text(id);
  }
}
