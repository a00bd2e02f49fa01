package dev.twinbox.relay;

import dev.twinbox.broker.Broker;
import dev.twinbox.outbox.Outbox;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.doctor.Guard;
import dev.twinbox.relay.drain.Counters;
import dev.twinbox.relay.drain.DrainSettings;
import dev.twinbox.relay.drain.IdlePoll;
import dev.twinbox.relay.drain.LaneDrain;
import dev.twinbox.relay.drain.LaneStore;
import dev.twinbox.relay.drain.RateLimiter;
import dev.twinbox.relay.schedule.Duties;
import dev.twinbox.relay.schedule.LaneRoster;
import dev.twinbox.relay.schedule.Mending;
import dev.twinbox.relay.schedule.RelayClock;
import dev.twinbox.relay.schedule.RelayScheduler;
import dev.twinbox.relay.schedule.RestoreWatch;
import dev.twinbox.relay.schedule.Sampling;
import dev.twinbox.relay.schedule.Upkeep;
import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.StatusReader;
import dev.twinbox.relay.store.ClusterGuard;
import dev.twinbox.relay.store.Essentials;
import dev.twinbox.relay.store.Lanes;
import dev.twinbox.relay.store.Pipeline;
import dev.twinbox.relay.store.RelayRegistry;
import dev.twinbox.relay.store.Restamp;
import dev.twinbox.relay.store.Retention;
import dev.twinbox.relay.store.Rotation;
import dev.twinbox.relay.store.Samples;
import dev.twinbox.relay.store.Scheduled;
import dev.twinbox.relay.store.SchemaGuard;
import dev.twinbox.relay.store.UpkeepFailures;
import dev.twinbox.relay.store.UpkeepTimes;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.quartz.SchedulerException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes what was committed to the outbox, until the broker has confirmed it.
 *
 * <p>Run it inside a service or as a process of its own; run several on one database and they share
 * the lanes. Each message is published at least once, with the same id each time; of two messages
 * with the same key the one is published first whose transaction had committed before the other was
 * enqueued. When a relay dies, its lanes are taken over within the lease and about two seconds.
 *
 * <p>Thread-safe. Use: {@code Relay.builder().dataSource(pool).broker(kafka).build().start()}, and
 * {@link #close} at the end.
 */
public final class Relay implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Relay.class);

  private final String name;
  private final Pipeline pipeline;
  private final Tables tables;
  private final Map<String, Broker> brokers;
  private final List<Broker> unguarded;
  private final boolean development;
  private final DrainSettings settings;
  private final DataSource dataSource;
  private final InstantSource clock;
  private final RelayClock relayClock;
  private final Counters counters = new Counters();
  private final RateLimiter limiter;
  private final StatusReader statusReader;
  private final List<Outbox> outboxes;
  private final List<Outbox.Subscription> subscriptions = new ArrayList<>();
  private volatile @Nullable IdlePoll idlePoll;
  private volatile @Nullable LaneRoster roster;
  private volatile @Nullable Mending mending;
  private volatile @Nullable RelayScheduler scheduler;
  private volatile boolean closed;

  Relay(RelayBuilder builder) {
    name = builder.uniqueName();
    tables = builder.tables();
    dataSource = builder.dataSource();
    clock = builder.clock();
    relayClock = new RelayClock(clock);
    statusReader = StatusReader.in(dataSource, builder.schemaName());
    settings = builder.settings();
    limiter = new RateLimiter(builder.rateLimits(), this::shareOfLanes, System::nanoTime);
    pipeline = new Pipeline(dataSource, Math.toIntExact(settings.lease().toMillis()));
    outboxes = List.copyOf(builder.outboxes());
    brokers = new LinkedHashMap<>();
    unguarded = List.copyOf(builder.brokers());
    development = builder.isDevelopment();
    for (Broker broker : unguarded) {
      broker.useClock(relayClock::database);
      brokers.put(broker.name(), development ? broker : Guard.guarded(broker));
    }
  }

  /** A builder with the defaults that its methods document. */
  public static RelayBuilder builder() {
    return new RelayBuilder();
  }

  /**
   * Checks the schema, refuses settings of database and brokers by which messages could be lost,
   * makes lanes for brokers that have none yet, and starts relaying. A broker that is down is
   * waited for a few seconds only; its destinations are looked at when messages go there. In a
   * database that was restored from a dump, or upgraded into a new cluster, it first stamps anew
   * what is unpublished, while producers wait; the log and the audit table say what was done.
   *
   * @return this relay
   * @throws dev.twinbox.broker.doctor.UnsafeSettingsException when messages could be lost, unless
   *     {@link RelayBuilder#development()} was called
   * @throws IllegalStateException when the schema is missing, too old or too new, or the database
   *     cannot be reached; or when this relay was started before
   */
  public synchronized Relay start() {
    if (scheduler != null || closed) {
      throw new IllegalStateException(
          "Relay %s was %s before; build a new one."
              .formatted(name, closed ? "closed" : "started"));
    }
    try {
      LaneStore store = LaneStore.of(pipeline, tables, settings.lease());
      IdlePoll polling = new IdlePoll(store.reader(), store.log(), settings);
      idlePoll = polling;
      LaneRoster lanes = roster(store, polling);
      Mending mends = new Mending(new Essentials(pipeline, tables), brokers.keySet(), lanes);
      mends.start();
      SchemaGuard.check(pipeline, tables);
      lanes.register();
      refuseUnsafe();
      RestoreWatch restoreWatch =
          new RestoreWatch(new ClusterGuard(pipeline, tables), new Restamp(pipeline, tables), name);
      restoreWatch.start();
      RelayRegistry registry = new RelayRegistry(pipeline, tables, settings.lease());
      Duties duties = new Duties(new UpkeepFailures(pipeline, tables), name);
      Upkeep upkeep =
          new Upkeep(
              new Scheduled(pipeline, tables),
              this::wake,
              new Rotation(pipeline, tables),
              store.log(),
              new Retention(pipeline, tables),
              duties);
      RelayScheduler starting =
          new RelayScheduler(
              name,
              dataSource,
              tables,
              registry,
              mends,
              restoreWatch,
              new UpkeepTimes(pipeline, tables, clock),
              upkeep,
              lanes,
              polling,
              new Sampling(new Samples(pipeline, tables), name, counters, this::lanes, duties),
              settings.lease(),
              relayClock);
      roster = lanes;
      mending = mends;
      scheduler = starting;
      starting.start();
      outboxes.forEach(outbox -> subscriptions.add(outbox.onWake(this::wake)));
      return this;
    } catch (SQLException e) {
      close();
      throw new IllegalStateException(
          "Relay " + name + " cannot work with its database: " + e.getMessage(), e);
    } catch (IllegalStateException e) {
      close();
      throw e;
    } catch (SchedulerException e) {
      close();
      throw new IllegalStateException("Quartz did not start: " + e.getMessage(), e);
    }
  }

  private void refuseUnsafe() {
    if (development) {
      log.warn("Relay {} is for development: settings that can lose messages are allowed", name);
    } else {
      Guard.refuseUnsafe("Relay " + name, dataSource, tables, unguarded);
    }
  }

  private LaneRoster roster(LaneStore store, IdlePoll polling) {
    return new LaneRoster(
        new Lanes(pipeline, tables),
        brokers.keySet(),
        (lane, mayHold) ->
            new LaneDrain(
                lane.lane(),
                name,
                Objects.requireNonNull(brokers.get(lane.broker())),
                store,
                settings,
                polling,
                limiter,
                counters,
                mayHold,
                clock));
  }

  private List<LaneDrain> lanes() {
    LaneRoster known = roster;
    return known == null ? List.of() : known.lanes();
  }

  /** Which part of a broker's lanes this relay holds. */
  private double shareOfLanes(String broker) {
    List<LaneDrain> all = lanes().stream().filter(lane -> lane.broker().equals(broker)).toList();
    long held = all.stream().filter(LaneDrain::isHeld).count();
    return all.isEmpty() ? 1 : (double) held / all.size();
  }

  /** This relay's name among all. */
  public String name() {
    return name;
  }

  /** Says that something was committed. Cheap; callable from any thread; never throws. */
  public void wake() {
    IdlePoll polling = idlePoll;
    if (polling != null) {
      polling.wake();
    }
  }

  /** The lanes that this relay holds now. */
  public List<Integer> heldLanes() {
    return lanes().stream().filter(LaneDrain::isHeld).map(LaneDrain::lane).toList();
  }

  /**
   * Whether this relay can work: it was started and not closed, its database has answered within
   * the lease, its brokers have lanes, and they take the messages of those that it holds. Cheap;
   * asks nobody. Callable from any thread.
   */
  public Health health() {
    RelayScheduler running = scheduler;
    if (running == null || closed) {
      return Health.of(List.of("The relay is not running."));
    }
    List<String> problems = new ArrayList<>();
    Duration silence = running.silence();
    if (silence.compareTo(settings.lease()) > 0) {
      problems.add("The database has not answered for %s s.".formatted(silence.toSeconds()));
    }
    Mending mends = mending;
    if (mends != null) {
      mends.problem().ifPresent(problems::add);
    }
    if (relayClock.isDangerous()) {
      problems.add(
          "The clock of this machine is %s the database's; brokers may refuse its time."
              .formatted(relayClock.text()));
    }
    List<LaneDrain> known = lanes();
    for (String broker : brokers.keySet()) {
      if (known.stream().noneMatch(lane -> lane.broker().equals(broker))) {
        problems.add(
            "Broker %s has no lanes in the schema %s: nothing is enqueued or published for it."
                .formatted(broker, tables.quotedSchema()));
      }
    }
    known.stream().flatMap(lane -> lane.problems().stream()).distinct().forEach(problems::add);
    return Health.of(problems);
  }

  /** How many messages are handed to brokers and not confirmed. */
  public int inFlight() {
    return lanes().stream().mapToInt(LaneDrain::inFlight).sum();
  }

  /**
   * Reads how things stand in the database: what waits, how fast it goes, what is in the way. Takes
   * well under a second, however much waits.
   *
   * @throws SQLException when the database cannot be asked
   */
  public Status status() throws SQLException {
    return statusReader.read();
  }

  /** What this relay has done since it started. */
  public Counters counters() {
    return counters;
  }

  /**
   * Stops taking messages, waits for outstanding confirms (default at most 10 s), notes how far
   * each lane has come, frees the lanes for others, and closes the brokers' connections.
   * Idempotent.
   */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    subscriptions.forEach(Outbox.Subscription::close);
    RelayScheduler running = scheduler;
    if (running != null) {
      running.close();
    }
    brokers.values().forEach(Broker::close);
  }
}
