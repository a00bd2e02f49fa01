package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("essential")
final class BatchTest {
  private static final String STORED =
      "select row(lane, destination, key, type, content_type, headers, payload, expires_at)"
          + " from twinbox.outbox order by position";

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

  /** Alike ones take a shorter statement; whatever one of them has of its own, it keeps. */
  @Test
  void aBatchIsStoredTheSameWhetherItsMessagesAreAlikeOrNot() throws SQLException {
    Message plain = Message.to("kafka:a").key("k").type("t").contentType("a/b").text("x");
    Message alike = plain.header("h", "1");
    UUID id = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");
    List<Message> others =
        List.of(
            alike,
            plain,
            plain.header("h", "2"),
            plain.header("i", "1"),
            plain.type("u").header("h", "1"),
            plain.contentType("a/c").header("h", "1"),
            Message.to("kafka:b").key("k").type("t").contentType("a/b").text("x").header("h", "1"),
            Message.to("kafka:a").key("k").type("t").tombstone().header("h", "1"),
            Message.to("kafka:a").id(id).type("t").contentType("a/b").text("y").header("h", "1"));
    for (Message other : others) {
      List<Message> messages = List.of(alike, alike.key("l").text("z"), other, alike.key("m"));
      test.run("truncate twinbox.outbox");
      try (Connection connection = test.begin()) {
        outbox.enqueueAll(connection, messages);
        connection.commit();
      }
      List<String> together = test.list(STORED);
      test.run("truncate twinbox.outbox");
      try (Connection connection = test.begin()) {
        for (Message message : messages) {
          outbox.enqueue(connection, message);
        }
        connection.commit();
      }
      assertThat(together).hasSize(4).isEqualTo(test.list(STORED));
    }
  }

  @Test
  void anotherNumberOfLanesHoldsFromTheNextBatchOn() throws SQLException {
    List<Message> messages =
        IntStream.range(0, 50)
            .mapToObj(i -> Message.to("kafka:a").key("k" + i).type("t").text("" + i))
            .toList();
    try (Connection connection = test.begin()) {
      for (int i = 0;
          i < 8;
          i++) { // past the driver's and the server's thresholds for keeping plans
        outbox.enqueueAll(connection, messages);
      }
      connection.commit();
      test.run(
          "update twinbox.outbox_broker set first_lane = 100, lanes = 3 where broker = 'kafka'");
      outbox.enqueueAll(connection, messages);
      connection.commit();
    }
    assertThat(
            test.list(
                "select distinct lane from twinbox.outbox where position > 400 order by lane"))
        .containsExactly("100", "101", "102");
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
