package dev.twinbox.relay.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.relay.MemoryBroker;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.RetryPolicies;
import dev.twinbox.relay.drain.RetryPolicy;
import dev.twinbox.relay.drain.RetryPolicy.AfterGrace;
import dev.twinbox.relay.store.LaneChange;
import dev.twinbox.relay.store.Retention;
import dev.twinbox.relay.store.RetentionTimes;
import dev.twinbox.relay.store.RetentionTimes.Kept;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.BeyondHorizonException;
import dev.twinbox.setaside.Selection;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What was published is kept, for as long as wanted, and enqueued once more on request. */
class ArchiveTest {
  private static final Duration SOON = Duration.ofMinutes(1);
  private static final Selection ALL = Selection.all();
  private static final RetryPolicy RETRY =
      RetryPolicy.DEFAULTS
          .withPauses(Duration.ofMillis(10), Duration.ofMillis(50))
          .withGracePeriod(Duration.ofMillis(100), AfterGrace.WAIT);
  private static final DrainSettings SETTINGS =
      DrainSettings.DEFAULTS
          .withLease(Duration.ofSeconds(2))
          .withRetry(
              RetryPolicies.all(RETRY).with("kafka:strict", RETRY.withBlockKeyOnDeadLetter(true)));

  private final OutboxDatabase database = new OutboxDatabase(100, 4);
  private final Outbox outbox = Outbox.builder().source("/test").build();
  private final MemoryBroker broker = new MemoryBroker();
  private final Archive archive = Archive.in(database.dataSource(), "twinbox");
  private final Retention retention = new Retention(database.pipeline(), OutboxDatabase.TABLES);
  private final List<Relay> relays = new ArrayList<>();

  @AfterEach
  void close() {
    relays.forEach(Relay::close);
    broker.close();
    database.close();
  }

  @Test
  void withoutAnArchiveNothingIsCopied() throws SQLException {
    relay();
    enqueue(200, "kafka:a", "k");
    awaitPublished(200);
    awaitRotated();

    assertThat(archive.isKept()).isFalse();
    assertThat(database.number("select count(*) from twinbox.outbox_archive")).isZero();
  }

  @Tag("essential")
  @Test
  void everythingPublishedIsKeptOnceAndWhole() throws SQLException {
    keep("7 days");
    relay();
    List<UUID> ids = enqueue(300, "kafka:a", "k");
    awaitPublished(300);
    awaitRotated();

    assertThat(archive.preview(ALL).count()).isEqualTo(300);
    assertThat(
            database.number(
                "select count(distinct id) from twinbox.outbox_archive where key = 'k' and type ="
                    + " 't' and destination = 'kafka:a' and headers is not null and"
                    + " octet_length(payload) > 0 and content_type = 'application/json'"))
        .isEqualTo(database.number("select count(*) from twinbox.outbox_archive"))
        .isGreaterThanOrEqualTo(200);
    assertThat(ids).hasSize(300);
  }

  @Tag("essential")
  @Test
  void aReplaySendsTheSameMessagesInTheirOrder() throws Exception {
    keep("7 days");
    relay();
    List<UUID> a = enqueue(130, "kafka:a", "k");
    Instant between = now();
    List<UUID> b = enqueue(130, "kafka:b", "k");
    List<UUID> other = enqueue(5, "kafka:b", "other");
    awaitPublished(265);
    awaitRotated();

    assertThat(replay(ALL)).isEqualTo(265);
    awaitPublished(530);
    assertThat(keyed("k").subList(260, 520)).containsExactlyElementsOf(concat(a, b));

    // What was replayed is not there twice.
    awaitRotated();
    assertThat(replay(ALL.from(between).key("k"))).isEqualTo(130);
    awaitPublished(660);
    assertThat(keyed("k").subList(520, 650)).containsExactlyElementsOf(b);
    assertThat(replay(ALL.before(between).destination("kafka:a"))).isEqualTo(130);
    assertThat(replay(ALL.from(between).destination("kafka:a"))).isZero();
    assertThat(replay(ALL.ids(other.subList(1, 3)))).isEqualTo(2);
    assertThat(
            database.number(
                "select sum(affected) from twinbox.outbox_audit where action = 'replay' and done_by"
                    + " = 'test'"))
        .isEqualTo(265 + 130 + 130 + 2);
  }

  @Test
  void aReplayGoesOnWhereAnotherStopped() throws Exception {
    keep("7 days");
    relay();
    List<UUID> ids = enqueue(1_200, "kafka:a", "k");
    awaitPublished(1_200);
    List<Long> reached = new ArrayList<>();

    assertThatThrownBy(
            () ->
                archive.replay(
                    ALL,
                    Act.by("test")
                        .progress(
                            (done, all, last) -> {
                              reached.add(last);
                              throw new IllegalStateException("stopped");
                            })))
        .hasMessage("stopped");
    long rest = archive.replay(ALL.beyond(reached.get(0)), Act.by("test"));

    assertThat(rest).isEqualTo(700);
    awaitPublished(2_400);
    assertThat(keyed("k").subList(1_200, 2_400)).containsExactlyElementsOf(ids);
  }

  /** Its row is still in the outbox, or gone with its leaf: in both cases it is kept once. */
  @Test
  void whatWasParkedIsKeptWhenItIsPublished() throws Exception {
    keep("7 days");
    AtomicBoolean down = new AtomicBoolean(true);
    broker.troubledBy(
        message ->
            down.get() && message.destination().equals("kafka:down")
                ? Optional.of(new Outcome.Unavailable(Outcome.Reason.MISSING_DESTINATION, "none"))
                : message.type().equals("bad")
                    ? Optional.of(new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "too large"))
                    : Optional.empty());
    relay();
    enqueue(20, "kafka:down", "d");
    try (Connection producer = database.begin()) {
      outbox.enqueue(producer, Message.to("kafka:up").key("bad").type("bad").json(1));
      producer.commit();
    }
    enqueue(300, "kafka:up", "u");
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_parked") == 20);
    awaitPublished(300);
    awaitRotated();
    assertThat(database.number("select count(*) from twinbox.outbox_archive where key <> 'u'"))
        .isZero();
    assertThat(archive.preview(ALL.destination("kafka:down")).count()).isZero();

    enqueue(20, "kafka:down", "d");
    down.set(false);
    awaitPublished(340);

    await().atMost(SOON).until(() -> archive.preview(ALL.key("d")).count() == 40);
    enqueue(300, "kafka:up", "u");
    awaitPublished(640);
    awaitRotated();
    assertThat(
            database.number(
                "select count(*) - count(distinct id) from twinbox.outbox_archive where key = 'd'"))
        .isZero();
    assertThat(archive.preview(ALL).count()).isEqualTo(640);
  }

  /** The copy has begun without them, and their rows are gone when it has ended. */
  @Test
  void whatIsPublishedWhileItsLeafIsCopiedIsKeptOnce() throws Exception {
    keep("7 days");
    AtomicBoolean down = new AtomicBoolean(true);
    broker.troubledBy(
        message ->
            down.get() && !message.destination().equals("kafka:up")
                ? Optional.of(
                    message.type().equals("bad")
                        ? new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "too large")
                        : new Outcome.Unavailable(Outcome.Reason.MISSING_DESTINATION, "none"))
                : Optional.empty());
    relay();
    try (Connection producer = database.begin()) {
      outbox.enqueue(producer, Message.to("kafka:strict").key("bad").type("bad").json(1));
      outbox.enqueue(producer, Message.to("kafka:down").key("bad2").type("bad").json(1));
      producer.commit();
    }
    enqueue(20, "kafka:down", "d");
    enqueue(300, "kafka:up", "u");
    await()
        .atMost(SOON)
        .until(
            () ->
                database.number("select count(*) from twinbox.outbox_parked") == 20
                    && database.number("select count(*) from twinbox.outbox_dead_letter") == 2);
    awaitPublished(300);
    database.execute(
        "create function hold() returns trigger language plpgsql as $$ begin if new.key = 'u' then"
            + " perform pg_advisory_xact_lock(4711); end if; return new; end $$");
    database.execute(
        "create trigger hold before insert on twinbox.outbox_archive for each row execute function"
            + " hold()");
    Thread rotation = new Thread(this::rotateQuietly);
    try (Connection holder = database.begin()) {
      holder.createStatement().execute("select pg_advisory_xact_lock(4711)");
      rotation.start();
      database.awaitSomebodyWaits();
      down.set(false);
      DeadLetterQueue.in(database.dataSource(), "twinbox")
          .redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());
      awaitPublished(322);
      await()
          .atMost(SOON)
          .until(() -> database.number("select count(*) from twinbox.outbox_parked") == 0);
    }
    rotation.join();

    assertThat(archive.preview(ALL).count()).isEqualTo(322);
    enqueue(300, "kafka:up", "u");
    awaitPublished(622);
    awaitRotated();
    assertThat(archive.preview(ALL).count()).isEqualTo(622);
    assertThat(
            database.number(
                "select count(distinct id) from twinbox.outbox_archive where key in ('d', 'bad',"
                    + " 'bad2')"))
        .isEqualTo(22);
    assertThat(database.number("select count(*) - count(distinct id) from twinbox.outbox_archive"))
        .isZero();
  }

  private void rotateQuietly() {
    try {
      database.rotation().rotate();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aDeadLetterThatIsRedrivenOrPurgedIsNotKeptAsIfItHadBeenPublished() throws Exception {
    keep("7 days");
    AtomicBoolean refusing = new AtomicBoolean(true);
    broker.troubledBy(
        message ->
            refusing.get() && message.type().equals("bad")
                ? Optional.of(new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "too large"))
                : Optional.empty());
    relay();
    UUID redriven;
    UUID purged;
    try (Connection producer = database.begin()) {
      redriven = outbox.enqueue(producer, Message.to("kafka:a").key("a").type("bad").json(1)).id();
      purged = outbox.enqueue(producer, Message.to("kafka:a").key("b").type("bad").json(1)).id();
      producer.commit();
    }
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_dead_letter") == 2);
    DeadLetterQueue letters = DeadLetterQueue.in(database.dataSource(), "twinbox");
    letters.discard(Selection.all().ids(List.of(purged)), Act.by("ann"));
    database.execute(
        "update twinbox.outbox_dead_letter set discarded_at = now() - interval '31 days' where"
            + " discarded_at is not null");
    retention.purge(10);
    refusing.set(false);
    letters.redrive(Selection.all(), Act.by("ann").evenBeyondHorizon());
    enqueue(250, "kafka:a", "k");
    awaitPublished(251);
    assertThat(archive.preview(ALL).count()).isEqualTo(251);
    awaitRotated();

    assertThat(archive.preview(ALL).count()).isEqualTo(251);
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_archive where id = '%s'".formatted(redriven)))
        .isEqualTo(1);
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_archive where id = '%s'".formatted(purged)))
        .isZero();
  }

  /**
   * Its parked messages and dead letters move to the new lanes; their rows stay in the old ones.
   */
  @Test
  void afterAChangeOfLanesWhatIsParkedOrDeadIsNotKeptAsIfItHadBeenPublished() throws Exception {
    keep("7 days");
    AtomicBoolean down = new AtomicBoolean(true);
    broker.troubledBy(
        message ->
            down.get() && message.destination().equals("kafka:down")
                ? Optional.of(
                    message.type().equals("bad")
                        ? new Outcome.Rejected(Outcome.Reason.TOO_LARGE, "too large")
                        : new Outcome.Unavailable(Outcome.Reason.MISSING_DESTINATION, "none"))
                : Optional.empty());
    relay();
    try (Connection producer = database.begin()) {
      outbox.enqueue(producer, Message.to("kafka:down").key("bad").type("bad").json(1));
      producer.commit();
    }
    enqueue(20, "kafka:down", "d");
    for (int i = 0; i < 30; i++) {
      enqueue(1, "kafka:up", "u" + i);
    }
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_parked") == 20);
    new LaneChange(database.dataSource(), OutboxDatabase.TABLES)
        .run("kafka", 3, "test", Duration.ofSeconds(10));
    await()
        .atMost(SOON)
        .until(
            () ->
                database.number("select count(*) from twinbox.outbox_parked where lane > 7") == 20
                    && database.number(
                            "select count(*) from twinbox.outbox_dead_letter where lane > 7")
                        == 1);
    assertThat(archive.preview(ALL.destination("kafka:down")).count()).isZero();
    enqueue(300, "kafka:up", "u");
    awaitPublished(330);
    awaitRotated();
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_archive where destination = 'kafka:down'"))
        .isZero();

    down.set(false);
    awaitPublished(350);
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_parked") == 0);
    assertThat(archive.preview(ALL).count()).isEqualTo(350);
    assertThat(database.number("select count(*) - count(distinct id) from twinbox.outbox_archive"))
        .isZero();
  }

  @Test
  void withoutTheArchivesDayWhatWasParkedIsStillTakenOutOnce() throws Exception {
    keep("7 days");
    AtomicBoolean down = new AtomicBoolean(true);
    broker.troubledBy(
        message ->
            down.get() && message.destination().equals("kafka:down")
                ? Optional.of(new Outcome.Unavailable(Outcome.Reason.MISSING_DESTINATION, "none"))
                : Optional.empty());
    relay();
    enqueue(5, "kafka:down", "d");
    for (int i = 0; i < 30; i++) {
      enqueue(1, "kafka:up", "u" + i);
    }
    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_parked") == 5);
    database.execute(
        "do $$ declare t regclass; begin for t in select inhrelid from pg_inherits where inhparent"
            + " = 'twinbox.outbox_archive'::regclass loop execute 'drop table ' || t; end loop; end"
            + " $$");
    down.set(false);

    await()
        .atMost(SOON)
        .until(() -> database.number("select count(*) from twinbox.outbox_parked") == 0);
    awaitPublished(35);
    assertThat(database.number("select count(*) from twinbox.outbox_archive")).isEqualTo(5);
  }

  @Test
  void aReplayBeyondTheHorizonAsksForTheOperatorsWord() throws Exception {
    keep("7 days");
    database.execute(
        "insert into twinbox.outbox_archive (lane, position, id, created_at, destination, key,"
            + " type) values (0, 1, '01900000-0000-7000-8000-000000000001', '2024-06-09',"
            + " 'kafka:a', 'k', 't')");
    relay();

    assertThatThrownBy(() -> replay(ALL)).isInstanceOf(BeyondHorizonException.class);
    assertThat(broker.count()).isZero();

    archive.replay(ALL, Act.by("test").evenBeyondHorizon());
    awaitPublished(1);
  }

  @Test
  void anExpiryThatIsOverIsLeftOutOfAReplay() throws Exception {
    keep("7 days");
    database.execute(
        "insert into twinbox.outbox_archive (lane, position, id, created_at, expires_at,"
            + " destination, key, type) values (0, 1, twinbox.inbox_bound(now()), now(), now(),"
            + " 'kafka:a', 'k', 't')");
    relay();

    assertThat(replay(ALL)).isEqualTo(1);

    awaitPublished(1);
  }

  @Test
  void daysThatAreOverAreDropped() throws SQLException {
    keep("2 days");
    database.execute(
        "create table twinbox.outbox_archive_p20200101 partition of twinbox.outbox_archive for"
            + " values from ('2020-01-01 00:00Z') to ('2020-01-02 00:00Z')");
    assertThat(days()).isEqualTo(4);

    retention.turnArchive();
    assertThat(days()).isEqualTo(3);

    set(Kept.ARCHIVE, null);
    retention.turnArchive();
    assertThat(days()).isZero();
  }

  private long days() throws SQLException {
    return database.number(
        "select count(*) from pg_inherits where inhparent = 'twinbox.outbox_archive'::regclass");
  }

  @Test
  void deadLettersAreDiscardedAndThenGoneAndBlockingOnesStay() throws SQLException {
    database.execute(
        "insert into twinbox.outbox_dead_letter (lane, position, id, created_at, destination, key,"
            + " type, reason, attempts, first_failed_at, dead_at, blocks_key, discarded_at) select"
            + " 0, n, gen_random_uuid(), now(), 'kafka:a', 'k', 't', 'too-large', 1, now(), case"
            + " when n = 1 then now() else now() - interval '181 days' end, n = 2, case when n = 3"
            + " then now() - interval '31 days' end from generate_series(1, 4) n");

    assertThat(retention.discardOld(100, "test")).isEqualTo(1);
    retention.purge(100);

    assertThat(
            database.number(
                "select string_agg(position::text, '' order by position)::bigint from"
                    + " twinbox.outbox_dead_letter"))
        .isEqualTo(124);
    assertThat(
            database.number(
                "select min(position) from twinbox.outbox_dead_letter where discarded_at is not"
                    + " null"))
        .isEqualTo(4);
    assertThat(
            database.number(
                "select count(*) from twinbox.outbox_audit where action = 'discard' and selection ="
                    + " 'older than 180 days' and affected = 1"))
        .isEqualTo(1);
  }

  @Test
  void dedupKeysAndAuditLinesGoWhenTheyAreOldEnough() throws SQLException {
    database.execute(
        "insert into twinbox.outbox_dedup (dedup_key, message_id, created_at) select n::text,"
            + " gen_random_uuid(), now() - n * interval '1 day' from generate_series(1, 10) n");
    database.execute(
        "insert into twinbox.outbox_audit (done_at, done_by, action, selection, affected) select"
            + " now() - n * interval '100 days', 'test', 'discard', 'all', 1 from"
            + " generate_series(1, 5) n");

    assertThat(retention.purge(2)).isEqualTo(2);
    assertThat(retention.purge(100)).isPositive();

    assertThat(database.number("select count(*) from twinbox.outbox_dedup")).isEqualTo(6);
    assertThat(database.number("select count(*) from twinbox.outbox_audit")).isEqualTo(3);
  }

  private void keep(String time) throws SQLException {
    set(Kept.ARCHIVE, time);
  }

  private void set(Kept kept, @Nullable String time) throws SQLException {
    Map<Kept, @Nullable String> times = new HashMap<>();
    times.put(kept, time);
    new RetentionTimes(database.dataSource(), OutboxDatabase.TABLES).set(times, "test");
  }

  private long replay(Selection filter) throws SQLException, InterruptedException {
    return archive.replay(filter, Act.by("test"));
  }

  private Relay relay() {
    Relay relay =
        Relay.builder()
            .dataSource(database.dataSource())
            .broker(broker.borrowed())
            .settings(SETTINGS)
            .build()
            .start();
    relays.add(relay);
    return relay;
  }

  private List<UUID> enqueue(int count, String destination, String key) throws SQLException {
    List<UUID> ids = new ArrayList<>();
    try (Connection producer = database.begin()) {
      for (int i = 0; i < count; i++) {
        ids.add(outbox.enqueue(producer, Message.to(destination).key(key).type("t").json(i)).id());
        if (i % 10 == 9) {
          producer.commit();
        }
      }
      producer.commit();
    }
    return ids;
  }

  private void awaitPublished(int count) {
    await().atMost(SOON).until(() -> broker.count() >= count);
    assertThat(broker.count()).isEqualTo(count);
  }

  /** Everything is settled, and at most the leaf that is in use has rows. */
  private void awaitRotated() {
    await()
        .atMost(SOON)
        .until(
            () -> {
              database.rotation().rotate();
              return database.number("select count(*) from twinbox.outbox") <= 100;
            });
  }

  private Instant now() throws SQLException {
    return Instant.ofEpochMilli(
        database.number("select ceil(extract(epoch from clock_timestamp()) * 1000)::bigint"));
  }

  private List<UUID> keyed(String key) {
    return broker.kept().stream()
        .filter(message -> key.equals(message.key()))
        .map(OutboxRecord::id)
        .toList();
  }

  private static List<UUID> concat(List<UUID> first, List<UUID> second) {
    List<UUID> both = new ArrayList<>(first);
    both.addAll(second);
    return both;
  }
}
