package dev.twinbox.examples.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.testing.RecordingOutbox;
import java.util.List;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.tools.jdbc.MockConnection;
import org.jooq.tools.jdbc.MockResult;
import org.junit.jupiter.api.Test;

/** How a user tests without a database; quoted in docs/guide.md. */
final class JooqOrdersUnitTest {
  // docs: recording
  @Test
  void aPlacedOrderIsTold() {
    RecordingOutbox outbox = new RecordingOutbox();
    var database = new MockConnection(statement -> new MockResult[] {new MockResult(1)});
    JooqOrders orders = new JooqOrders(DSL.using(database, SQLDialect.POSTGRES), outbox);

    orders.place(new OrderPlaced("o-1", "ann", 1250));

    List<Message> told = outbox.messages();
    assertThat(told).hasSize(1);
    assertThat(told.get(0).key()).isEqualTo("o-1");
    assertThat(told.get(0).payload()).asString().contains("\"cents\":1250");
  }
  // docs: end
}
