package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.contract.BrokerUnderTest;
import java.time.Duration;
import java.util.function.Consumer;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a relay says, and how it stops, when a real broker dies while messages wait. */
public abstract class BrokerDeathContract {
  private static final Duration LONG = Duration.ofMinutes(1);

  /** Promised are 5 seconds; these machines are slow. */
  private static final Duration SOON = Duration.ofSeconds(12);

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

  @Test
  void aBrokerThatIsKilledIsToldOfSoonAndTheRelayStops() throws Exception {
    dies(BrokerUnderTest::takeDown, BrokerUnderTest::bringBack);
  }

  @Test
  void aBrokerThatIsFrozenIsToldOfSoonAndTheRelayStops() throws Exception {
    dies(BrokerUnderTest::freeze, BrokerUnderTest::thaw);
  }

  private void dies(Consumer<BrokerUnderTest> ending, Consumer<BrokerUnderTest> reviving)
      throws Exception {
    BrokerUnderTest server = server();
    String destination = server.newDestination();
    int lane = destination.startsWith("kafka") ? 0 : 4;
    Relay first = start(server);
    database.commitOne(lane, destination, "k");
    patiently().until(() -> first.counters().publishedCount() == 1);
    assertThat(first.health().up()).isTrue();

    ending.accept(server);
    try {
      database.commitOne(lane, destination, "k");
      await().atMost(SOON).until(() -> !first.health().up());
      assertThat(first.health().problems()).anyMatch(said -> said.contains(broker(destination)));

      long began = System.nanoTime();
      first.close();
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
      first.close(); // says and does nothing
    } finally {
      reviving.accept(server);
    }

    Relay second = start(server);
    patiently().until(() -> second.counters().publishedCount() >= 1);
    await().atMost(LONG).until(() -> second.health().up());
  }

  private Relay start(BrokerUnderTest server) {
    Relay started =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(server.broker(Duration.ofSeconds(5), Duration.ofSeconds(30)))
            .development()
            .build()
            .start();
    relay = started;
    return started;
  }

  private static String broker(String destination) {
    return destination.substring(0, destination.indexOf(':'));
  }

  private static ConditionFactory patiently() {
    return await().atMost(LONG);
  }
}
