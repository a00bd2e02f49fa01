package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A destination with a rate limit gets its messages in order, no faster, and alone waits. */
class RateLimitTest {
  private static final String SLOW = "kafka:slow";
  private static final String FAST = "kafka:fast";

  private final OutboxDatabase database = new OutboxDatabase(1_000, 4);
  private final MemoryBroker broker = new MemoryBroker();
  private final Map<UUID, Long> publishedAt = new ConcurrentHashMap<>();
  private final List<Relay> relays = new ArrayList<>();

  RateLimitTest() {
    broker.troubledBy(
        message -> {
          publishedAt.putIfAbsent(message.id(), System.nanoTime());
          return Optional.empty();
        });
  }

  @AfterEach
  void close() {
    relays.forEach(Relay::close);
    broker.close();
    database.close();
  }

  @Test
  void aPileForOneLimitedDestinationGoesOutEvenlyAndIsNotParked() throws SQLException {
    List<UUID> slow = pile(0, SLOW, 150);

    long began = System.nanoTime();
    start(100, Duration.ofSeconds(2));
    await().until(() -> broker.count() > 40);
    assertThat(parked()).isZero();
    await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() == 150);

    assertThat(secondsSince(began)).as("150 at 100/s").isBetween(1.2, 30.0);
    assertThat(ids()).containsExactlyElementsOf(slow);
    assertThat(
            database.number("select count(*) from twinbox.outbox_lane_log where action = 'claim'"))
        .as("the lease was kept")
        .isEqualTo(4);
  }

  @Test
  void aSlowLaneKeepsItsLease() throws SQLException {
    pile(0, SLOW, 4);
    start(0.9, Duration.ofSeconds(1));

    await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() == 4);

    assertThat(database.number("select max(epoch) from twinbox.outbox_lane_log where lane = 0"))
        .isEqualTo(1);
    assertThat(database.number("select coalesce(sum(attempts), 0) from twinbox.outbox_parked"))
        .isZero();
  }

  @Test
  void messagesForOthersOvertakeALimitedDestinationAndItsOrderIsKept() throws SQLException {
    List<UUID> slow = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      slow.add(database.commitOne(0, SLOW, "s" + i % 3));
    }
    List<UUID> fast = pile(0, FAST, 20);
    UUID bound = database.commitOne(0, FAST, "s0");
    start(100, Duration.ofSeconds(10));

    await().until(() -> ids().containsAll(fast));
    assertThat(slowCount()).as("%s slow ones are out", slowCount()).isLessThan(250);
    UUID later = database.commitOne(0, FAST, "late");
    await().until(() -> ids().contains(later));
    assertThat(slowCount()).isLessThan(300);
    await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() == 322);

    assertThat(ids().stream().filter(slow::contains).toList()).containsExactlyElementsOf(slow);
    assertThat(ids().indexOf(bound))
        .as("the key's order holds across destinations")
        .isGreaterThan(ids().indexOf(slow.get(297)));
    await().until(() -> parked() == 0);
    assertThat(database.number("select count(*) from twinbox.outbox_dead_letter")).isZero();
    assertThat(rate(slow)).as("messages a second").isLessThan(130);
  }

  /** Parked for its limit it would come first when the other's fate becomes unknown. */
  @Test
  void whatIsOnItsWayIsNotOvertakenByItsLimitedFollower() throws SQLException {
    pile(0, SLOW, 3);
    UUID first = database.commitOne(0, FAST, "k");
    UUID follower = database.commitOne(0, SLOW, "k");
    UUID other = database.commitOne(0, FAST, "other");
    AtomicInteger failures = new AtomicInteger();
    broker.troubledBy(
        message ->
            message.id().equals(first) && failures.incrementAndGet() <= 3
                ? Optional.of(new Outcome.Unknown("the connection was lost"))
                : Optional.empty());
    start(20, Duration.ofSeconds(10));

    await().atMost(Duration.ofSeconds(60)).until(() -> ids().containsAll(List.of(follower, other)));

    assertThat(failures.get()).isGreaterThan(3);
    assertThat(ids().indexOf(first)).isNotNegative().isLessThan(ids().indexOf(follower));
  }

  @Test
  void lanesAndRelaysShareOneLimit() throws SQLException {
    List<UUID> all = new ArrayList<>();
    for (int lane = 0; lane < 4; lane++) {
      all.addAll(pile(lane, SLOW, 80));
    }
    start(100, Duration.ofSeconds(2));
    start(100, Duration.ofSeconds(2));
    await().atMost(Duration.ofSeconds(30)).until(() -> broker.count() >= 40);
    await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() == 320);

    assertThat(rate(all)).as("messages a second").isBetween(20.0, 130.0);
    List<Integer> half =
        broker.kept().subList(0, 160).stream().map(OutboxRecord::lane).distinct().toList();
    assertThat(half).as("no lane waits for another").containsExactlyInAnyOrder(0, 1, 2, 3);
  }

  @Test
  void aLimitThatIsNoneIsRefused() {
    assertThatThrownBy(() -> Relay.builder().rateLimit(SLOW, 0))
        .hasMessageContaining(SLOW)
        .hasMessageContaining("0.01");
  }

  private Relay start(double perSecond, Duration lease) {
    Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .development()
            .lease(lease)
            .rateLimit(SLOW, perSecond)
            .build()
            .start();
    relays.add(relay);
    return relay;
  }

  private List<UUID> pile(int lane, String destination, int messages) throws SQLException {
    List<UUID> pile = new ArrayList<>();
    try (Connection producer = database.begin()) {
      for (int i = 0; i < messages; i++) {
        pile.add(database.insert(producer, lane, destination, null, new byte[0]));
      }
      producer.commit();
    }
    return pile;
  }

  private long slowCount() {
    return broker.kept().stream().filter(m -> m.destination().equals(SLOW)).count();
  }

  private List<UUID> ids() {
    return broker.kept().stream().map(OutboxRecord::id).toList();
  }

  private long parked() throws SQLException {
    return database.number("select count(*) from twinbox.outbox_parked");
  }

  private double rate(List<UUID> messages) {
    long first = messages.stream().mapToLong(publishedAt::get).min().orElseThrow();
    long last = messages.stream().mapToLong(publishedAt::get).max().orElseThrow();
    return messages.size() / Math.max(0.001, (last - first) / 1e9);
  }

  private static double secondsSince(long began) {
    return (System.nanoTime() - began) / 1e9;
  }
}
