package dev.twinbox.relay.drain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.relay.MemoryBroker;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.store.LaneState;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A lane whose window the polling thread opens while the lane's own thread has other plans. */
class OpenedByPollTest {
  private static final Duration NEVER = Duration.ofHours(1);
  private static final Duration LEASE = Duration.ofSeconds(1);

  private volatile boolean mayHold = true;
  private final OutboxDatabase database = new OutboxDatabase(100, 4);
  private final MemoryBroker broker = new MemoryBroker();
  private final DrainSettings settings = pollingOnlyWhenWoken();
  private final LaneStore store = LaneStore.of(database.pipeline(), OutboxDatabase.TABLES, LEASE);
  private final IdlePoll poll = new IdlePoll(store.reader(), store.log(), settings);
  private final LaneDrain lane = lane("relay");
  private final Thread polling = new Thread(() -> poll.session(Duration.ofMinutes(5)));
  private final Thread draining = new Thread(this::drain);
  private volatile boolean over;

  @BeforeEach
  void start() throws SQLException {
    polling.start();
    draining.start();
    await().until(lane::isHeld);
    database.commitOne(0, "warm");
    awaitPublished(1);
  }

  private static DrainSettings pollingOnlyWhenWoken() {
    DrainSettings defaults = DrainSettings.DEFAULTS;
    return new DrainSettings(
        defaults.pageRows(),
        defaults.pageBytes(),
        defaults.rowsInFlight(),
        defaults.bytesInFlight(),
        LEASE,
        NEVER,
        NEVER,
        defaults.retry(),
        defaults.stopDeadline());
  }

  private LaneDrain lane(String relay) {
    return new LaneDrain(
        0,
        relay,
        broker,
        store,
        settings,
        poll,
        new RateLimiter(RateLimits.NONE, any -> 1, System::nanoTime),
        new Counters(),
        any -> mayHold,
        InstantSource.system());
  }

  private void drain() {
    while (!over) {
      lane.session(Duration.ofMillis(700));
    }
  }

  @AfterEach
  void close() throws InterruptedException {
    over = true;
    lane.requestStop();
    draining.join();
    poll.requestStop();
    polling.join();
    broker.close();
    database.close();
  }

  @Test
  void aRenewalThatIsDueMeanwhileWaitsForTheWindowAndTheLaneIsNotLost() throws Exception {
    long epoch = state().epoch();
    UUID message;
    try (Connection rival = database.begin()) {
      // The next look at the lease, 300 ms after the last one, will find that a third is over.
      await()
          .until(
              () ->
                  database.number(
                          "select count(*) from twinbox.outbox_lane_log where lane = 0 and seq ="
                              + " (select max(seq) from twinbox.outbox_lane_log where lane = 0) and"
                              + " written_at < clock_timestamp() - interval '310 ms'")
                      == 1);
      message = openingWaitsFor(rival);
      awaitLaneWaitsForPoll();
      assertThat(writersThatWait()).as("the polling thread alone").isEqualTo(1);
      rival.rollback();
    }

    await().until(() -> broker.count() == 2);
    assertThat(broker.kept().get(1).id()).isEqualTo(message);
    await().until(() -> !state().isOpen());
    assertThat(state().epoch()).isEqualTo(epoch);
  }

  @Test
  void aStopMeanwhileReleasesTheLaneWithItsWindowAndTheNextOwnerPublishesIt() throws Exception {
    try (Connection rival = database.begin()) {
      openingWaitsFor(rival);
      lane.requestStop();
      awaitLaneWaitsForPoll();
      rival.rollback();
    }

    await().until(() -> !lane.isHeld());
    assertThat(state().owner()).isNull();
    LaneDrain next = lane("another");
    next.session(Duration.ofMillis(100));
    await().until(() -> broker.count() == 2);
    next.requestStop();
    next.session(Duration.ZERO);
    assertThat(broker.kept()).extracting(OutboxRecord::id).doesNotHaveDuplicates();
  }

  @Test
  void aLaneThatMayNotBeHeldAnyMoreIsGivenAwayWithItsWindow() throws Exception {
    try (Connection rival = database.begin()) {
      openingWaitsFor(rival);
      mayHold = false;
      awaitLaneWaitsForPoll();
      rival.rollback();
    }

    await().until(() -> !lane.isHeld());
    assertThat(state().owner()).isNull();
    mayHold = true;
    await().until(() -> broker.count() == 2);
  }

  @Test
  void whenItIsUnknownWhetherTheWindowIsOpenTheLaneIsClaimedAnew() throws Exception {
    long epoch = state().epoch();
    UUID message;
    try (Connection rival = database.begin()) {
      message = openingWaitsFor(rival);
      database.endThoseWhoWait();
      rival.rollback();
    }

    awaitPublished(2);
    assertThat(broker.kept().get(1).id()).isEqualTo(message);
    assertThat(state().epoch()).isEqualTo(epoch + 1);
  }

  /** Polls would walk it at one go each time; the pages of a window walk it once, in steps. */
  @Test
  void aLaneThatIsClaimedFarBehindOpensAWindowThoughNothingWaits() throws Exception {
    over = true;
    lane.requestStop();
    draining.join();
    long window = state().window();

    claimForAMoment("near");
    assertThat(state().window()).as("not far behind").isEqualTo(window);

    database.execute("select setval('twinbox.outbox_position', 150000)");
    claimForAMoment("far");
    assertThat(state().window()).isEqualTo(window + 1);
  }

  private void claimForAMoment(String relay) {
    LaneDrain next = lane(relay);
    next.session(Duration.ofMillis(100));
    assertThat(next.isHeld()).isTrue();
    next.requestStop();
    next.session(Duration.ZERO);
  }

  private void awaitPublished(int messages) {
    await()
        .until(
            () -> {
              poll.wake();
              return broker.count() == messages;
            });
  }

  /** A message waits, and the statement that opens its window waits for somebody else. */
  private UUID openingWaitsFor(Connection rival) throws SQLException {
    await().until(() -> !state().isOpen());
    database.appendUncommitted(rival, state());
    UUID message = database.commitOne(0, "k");
    poll.wake();
    database.awaitSomebodyWaits();
    return message;
  }

  /** Its look at its lease is due, or its end; and it may not write. */
  private void awaitLaneWaitsForPoll() {
    await()
        .until(
            () ->
                Arrays.stream(draining.getStackTrace())
                    .anyMatch(
                        frame ->
                            frame.getClassName().equals(IdlePoll.class.getName())
                                && frame.getMethodName().equals("takeBack")));
  }

  private long writersThatWait() throws SQLException {
    return database.number(
        "select count(*) from pg_stat_activity where datname = current_database() and"
            + " wait_event_type = 'Lock'");
  }

  private LaneState state() throws SQLException {
    return store.log().read(0).orElseThrow();
  }
}
