package dev.twinbox.relay.drain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.MemoryBroker;
import dev.twinbox.relay.OutboxDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An idle lane that is not ours any more, while nothing would be written to it for minutes. */
class LaneDoubtTest {
  private static final Duration LEASE = Duration.ofMinutes(30);

  private final OutboxDatabase database = new OutboxDatabase(100, 4);
  private final MemoryBroker broker = new MemoryBroker();
  private final DrainSettings settings = DrainSettings.DEFAULTS.withLease(LEASE);
  private final LaneStore store = LaneStore.of(database.pipeline(), OutboxDatabase.TABLES, LEASE);
  private final LaneDrain lane =
      new LaneDrain(
          0,
          "relay",
          broker,
          store,
          settings,
          new IdlePoll(store.reader(), store.log(), settings),
          new RateLimiter(RateLimits.NONE, any -> 1, System::nanoTime),
          new Counters(),
          any -> true,
          InstantSource.system());

  @AfterEach
  void close() {
    lane.requestStop();
    lane.session(Duration.ZERO);
    broker.close();
    database.close();
  }

  @Test
  void isClaimedAnewOnceItIsDoubted() throws SQLException {
    lane.session(Duration.ofMillis(100));
    long epoch = epoch();
    database.execute("update twinbox.outbox_lane_log set claim_id = gen_random_uuid()");
    lane.session(Duration.ofMillis(100));
    assertThat(lane.isHeld()).as("nothing was written, nothing noticed").isTrue();

    lane.doubt();

    await()
        .until(
            () -> {
              lane.session(Duration.ofMillis(100));
              return epoch() == epoch + 1;
            });
  }

  private long epoch() throws SQLException {
    return store.log().read(0).orElseThrow().epoch();
  }
}
