package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class BatchTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();

  @Test
  void positionsFollowTheListWhateverTheDestinations() throws SQLException {
    List<String> destinations = List.of("kafka:a", "rabbitmq:/q", "kafka:b", "rabbitmq:x/y");
    List<Message> messages =
        IntStream.range(0, 5_000)
            .mapToObj(i -> Message.to(destinations.get(i % 4)).key("k" + i).type("t").text("" + i))
            .toList();
    List<Enqueued> results;
    try (Connection connection = test.begin()) {
      results = outbox.enqueueAll(connection, messages);
      connection.commit();
    }
    assertThat(test.keys()).isEqualTo(messages.stream().map(Message::key).toList());
    assertThat(test.list("select id from twinbox.outbox order by position"))
        .isEqualTo(results.stream().map(result -> result.id().toString()).toList());
    assertThat(test.list("select distinct destination from twinbox.outbox")).hasSize(4);
  }

  @Test
  void aBatchTooLargeForOneStatementKeepsItsOrder() throws SQLException {
    int size = 900_000;
    List<Message> messages =
        IntStream.range(0, 2 * BatchInsert.BYTES_PER_STATEMENT / size + 2)
            .mapToObj(i -> Message.to("kafka:a").key("k" + i).type("t").payload(new byte[size + i]))
            .toList();
    try (Connection connection = test.begin()) {
      assertThat(outbox.enqueueAll(connection, messages)).hasSameSizeAs(messages);
      connection.commit();
    }
    assertThat(test.keys()).isEqualTo(messages.stream().map(Message::key).toList());
    assertThat(test.list("select octet_length(payload) from twinbox.outbox order by position"))
        .first()
        .isEqualTo("" + size);
  }

  @Test
  void oneRefusedMessageLeavesNothingOfTheBatch() throws SQLException {
    Message good = Message.to("kafka:a").type("t").text("x");
    try (Connection connection = test.begin()) {
      assertThatThrownBy(
              () -> outbox.enqueueAll(connection, List.of(good, Message.to("kafka:a").text("x"))))
          .isInstanceOf(InvalidMessageException.class);
      connection.commit();
    }
    assertThat(test.keys()).isEmpty();
  }

  @Test
  void anEmptyBatchIsNothing() throws SQLException {
    try (Connection connection = test.begin()) {
      assertThat(outbox.enqueueAll(connection, List.of())).isEmpty();
    }
  }
}
