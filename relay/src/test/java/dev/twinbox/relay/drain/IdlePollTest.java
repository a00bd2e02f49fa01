package dev.twinbox.relay.drain;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.Pipeline;
import dev.twinbox.relay.store.WindowReader;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One poll for all idle lanes of a relay. */
class IdlePollTest {
  private static final Duration NEVER = Duration.ofHours(1);
  private static final Duration LEASE = Duration.ofSeconds(30);
  private static final int LANES = 4;

  private final OutboxDatabase database = new OutboxDatabase(100, 4);
  private final AtomicInteger statements = new AtomicInteger();
  private final AtomicBoolean databaseIsAway = new AtomicBoolean();
  private final AtomicBoolean databaseIsSlow = new AtomicBoolean();
  private final AtomicReference<@Nullable Runnable> meanwhile = new AtomicReference<>();
  private final AtomicInteger toldOfNothing = new AtomicInteger();
  private final Queue<Integer> told = new ConcurrentLinkedQueue<>();
  private final Map<Integer, IdlePoll.Found> results = new ConcurrentHashMap<>();
  private final Map<Integer, LaneState> lanes = new ConcurrentHashMap<>();

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void oneStatementAsksForAllLanesAndTellsThoseThatHaveSomething() throws Exception {
    IdlePoll poll = askingFor(NEVER, NEVER);
    database.commitOne(1, "k");
    database.commitOne(3, "k");

    try (Session session = new Session(poll)) {
      poll.wake();
      await().until(() -> told.size() == 2);
      session.end();
    }

    assertThat(told).containsExactlyInAnyOrder(1, 3);
    // After a slow one, as the first can be, it is asked who was slow.
    assertThat(statements).hasValueBetween(1, 2);
  }

  @Test
  void whoAsksAnewWhileItIsAskedForIsToldToo() throws Exception {
    IdlePoll poll = askingFor(Duration.ofMillis(1), Duration.ofMillis(1));
    LaneState renewed = database.log(LEASE).renew(requireNonNull(lanes.get(2))).orElseThrow();
    database.commitOne(2, "k");
    meanwhile.set(
        () -> {
          poll.takeBack(2);
          ask(poll, renewed);
        });

    try (Session session = new Session(poll)) {
      await().until(() -> told.contains(2));
      session.end();
    }

    assertThat(results.get(2))
        .as("by the poll that was under way")
        .isInstanceOf(IdlePoll.Seen.class);
  }

  /** They may have walked the rows of an open transaction, which an empty window puts an end to. */
  @Test
  void afterSlowPollsInARowEveryLaneIsTold() throws Exception {
    databaseIsSlow.set(true);
    IdlePoll poll = askingFor(Duration.ofMillis(1), Duration.ofMillis(1));

    try (Session session = new Session(poll)) {
      await().until(() -> toldOfNothing.get() >= LANES);
      session.end();
    }

    assertThat(statements).hasValueGreaterThanOrEqualTo(3);
    assertThat(told).isEmpty();
  }

  @Test
  void wherePollsStaySlowThePausesBetweenEmptyWindowsGrow() throws Exception {
    databaseIsSlow.set(true);
    IdlePoll poll = askingFor(Duration.ofMillis(1), Duration.ofMillis(1));

    try (Session session = new Session(poll)) {
      await().until(() -> toldOfNothing.get() >= LANES);
      long first = System.nanoTime();
      await().until(() -> toldOfNothing.get() >= 2 * LANES);
      long second = System.nanoTime();
      await().until(() -> toldOfNothing.get() >= 3 * LANES);
      session.end();

      // One second, then two; half a second is the pause with which it begins.
      assertThat(Duration.ofNanos(second - first)).isGreaterThan(Duration.ofMillis(600));
      assertThat(Duration.ofNanos(System.nanoTime() - second))
          .isGreaterThan(Duration.ofMillis(1_200));
    }
  }

  @Test
  void whoWasToldIsAskedForNoMore() throws Exception {
    IdlePoll poll = askingFor(NEVER, NEVER);
    database.commitOne(1, "k");
    try (Session session = new Session(poll)) {
      poll.wake();
      await().until(() -> told.contains(1));

      database.commitOne(2, "k");
      poll.wake();
      await().until(() -> told.contains(2));
      session.end();
    }

    assertThat(told).containsExactly(1, 2);
  }

  @Test
  void aForgottenLaneIsNotTold() throws Exception {
    IdlePoll poll = askingFor(NEVER, NEVER);
    poll.takeBack(1);
    database.commitOne(1, "k");
    database.commitOne(2, "k");

    try (Session session = new Session(poll)) {
      poll.wake();
      await().until(() -> told.contains(2));
      session.end();
    }

    assertThat(told).containsExactly(2);
  }

  @Test
  void afterACommitTheWindowsOfThoseThatHaveSomethingAreOpenedInTheSameStatement()
      throws Exception {
    IdlePoll poll = askingFor(NEVER, NEVER);
    UUID one = database.commitOne(1, "k");
    UUID three = database.commitOne(3, "k");

    try (Session session = new Session(poll)) {
      poll.wake();
      await().until(() -> told.size() == 2);
      session.end();
    }

    assertThat(firstPage(1)).containsExactly(one);
    assertThat(firstPage(3)).containsExactly(three);
    assertThat(database.log(LEASE).read(0)).contains(lanes.get(0));
  }

  @Test
  void aRelayThatHasBeenIdleOnlyAsks() throws Exception {
    IdlePoll poll = askingFor(Duration.ofMillis(150), Duration.ofMillis(150));

    try (Session session = new Session(poll)) {
      await().until(() -> statements.get() > 2);
      database.commitOne(2, "k");
      await().until(() -> told.contains(2));
      session.end();
    }

    assertThat(results.get(2)).isInstanceOf(IdlePoll.Seen.class);
    assertThat(database.log(LEASE).read(2)).contains(requireNonNull(lanes.get(2)));
  }

  @Test
  void aLaneThatIsFarBackIsOnlyToldAndRaisesItsFloorItself() throws Exception {
    IdlePoll poll = askingFor(NEVER, NEVER);
    database.execute("select setval('twinbox.outbox_position', 5000)");
    database.commitOne(2, "k");

    try (Session session = new Session(poll)) {
      poll.wake();
      await().until(() -> told.contains(2));
      session.end();
    }

    assertThat(results.get(2)).isInstanceOf(IdlePoll.Seen.class);
    assertThat(poll.position()).isEqualTo(5001);
  }

  @Test
  void whoTakesItsRequestBackWaitsForTheStatementThatMayOpenItsWindow() throws Exception {
    IdlePoll poll = askingFor(NEVER, NEVER);
    UUID message = database.commitOne(2, "k");

    try (Session session = new Session(poll);
        Connection rival = database.begin()) {
      database.appendUncommitted(rival, requireNonNull(lanes.get(2)));
      poll.wake();
      database.awaitSomebodyWaits();
      CompletableFuture<Void> takingBack = CompletableFuture.runAsync(() -> poll.takeBack(2));
      poll.takeBack(7); // of whom nobody knows: at once
      assertThat(takingBack).isNotDone();

      rival.rollback();
      takingBack.join();

      assertThat(firstPage(2)).containsExactly(message);
      session.end();
    }
  }

  @Test
  void whoseWindowMayOrMayNotBeOpenIsToldSoAndForAWhileItIsOnlyAsked() throws Exception {
    IdlePoll poll = askingFor(NEVER, NEVER);
    database.commitOne(2, "k");

    try (Session session = new Session(poll);
        Connection rival = database.begin()) {
      database.appendUncommitted(rival, requireNonNull(lanes.get(2)));
      poll.wake();
      database.awaitSomebodyWaits();
      database.endThoseWhoWait();
      await().until(() -> results.size() == LANES);
      assertThat(results.values()).hasOnlyElementsOfType(IdlePoll.Unknown.class);

      rival.rollback();
      poll.wake();
      await().until(() -> results.get(2) instanceof IdlePoll.Seen);
      session.end();
    }
  }

  private List<UUID> firstPage(int lane) {
    assertThat(results.get(lane)).isInstanceOf(IdlePoll.Opened.class);
    IdlePoll.Opened opened = (IdlePoll.Opened) requireNonNull(results.get(lane));
    return opened.window().page().rows().stream().map(row -> row.record().id()).toList();
  }

  @Test
  void whatAnotherProcessCommitsIsFoundWithoutAWake() throws Exception {
    IdlePoll poll = askingFor(Duration.ofMillis(2), Duration.ofMillis(150));

    try (Session session = new Session(poll)) {
      database.commitOne(2, "k");
      await().until(() -> told.contains(2));
      session.end();
    }
  }

  @Test
  void anIdleRelayAsksSeldom() throws Exception {
    IdlePoll poll = askingFor(Duration.ofMillis(2), Duration.ofMillis(150));

    poll.session(Duration.ofSeconds(3));

    // Every 2 ms would be 1,500; a sixth of the quiet time, up to 150 ms, is about 50.
    assertThat(statements).hasValueBetween(5, 300);
  }

  @Test
  void aDatabaseThatIsAwayIsAskedAgain() throws Exception {
    IdlePoll poll = askingFor(Duration.ofMillis(2), Duration.ofMillis(150));
    databaseIsAway.set(true);

    try (Session session = new Session(poll)) {
      await().until(() -> statements.get() > 2);
      database.commitOne(2, "k");
      databaseIsAway.set(false);

      await().until(() -> told.contains(2));
      session.end();
    }
  }

  private IdlePoll askingFor(Duration shortest, Duration longest) throws SQLException {
    DrainSettings defaults = DrainSettings.DEFAULTS;
    Pipeline pipeline = new Pipeline(counted(), 10_000);
    IdlePoll poll =
        new IdlePoll(
            new WindowReader(pipeline, OutboxDatabase.TABLES),
            new LaneLog(pipeline, OutboxDatabase.TABLES, LEASE),
            new DrainSettings(
                defaults.pageRows(),
                defaults.pageBytes(),
                defaults.rowsInFlight(),
                defaults.bytesInFlight(),
                defaults.lease(),
                shortest,
                longest,
                defaults.retry(),
                defaults.stopDeadline()));
    LaneLog log = database.log(LEASE);
    for (int lane = 0; lane < LANES; lane++) {
      LaneState claimed = log.claim(log.read(lane).orElseThrow(), "relay").orElseThrow();
      lanes.put(lane, claimed);
      ask(poll, claimed);
    }
    return poll;
  }

  /** After a slow poll all lanes are told; those for which there is nothing ask again. */
  private void ask(IdlePoll poll, LaneState lane) {
    poll.ask(
        lane,
        true,
        found -> {
          if (found instanceof IdlePoll.Seen seen && !seen.poll().anything()) {
            toldOfNothing.incrementAndGet();
            ask(poll, lane);
          } else {
            results.put(lane.lane(), found);
            if (found instanceof IdlePoll.Unknown) {
              ask(poll, lane);
            } else {
              told.add(lane.lane());
            }
          }
        });
  }

  private DataSource counted() {
    return (DataSource)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> {
              statements.incrementAndGet();
              if (databaseIsAway.get()) {
                throw new SQLException("away");
              }
              Runnable next = meanwhile.getAndSet(null);
              if (next != null) {
                next.run();
              }
              if (databaseIsSlow.get()) {
                TimeUnit.MILLISECONDS.sleep(15);
              }
              return database.dataSource().getConnection();
            });
  }

  /** A session on a thread of its own. */
  private static final class Session implements AutoCloseable {
    private final IdlePoll poll;
    private final Thread thread;

    Session(IdlePoll poll) {
      this.poll = poll;
      thread = new Thread(() -> poll.session(Duration.ofMinutes(1)), "idle-poll");
      thread.start();
    }

    void end() throws InterruptedException {
      poll.requestStop();
      thread.join(Duration.ofSeconds(20).toMillis());
      assertThat(thread.isAlive()).isFalse();
    }

    @Override
    public void close() {
      poll.requestStop();
    }
  }
}
