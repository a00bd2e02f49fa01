package dev.twinbox.relay.schedule;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.drain.IdlePoll;
import dev.twinbox.relay.drain.LaneDrain;
import dev.twinbox.relay.store.OwnTransactions;
import dev.twinbox.relay.store.RelayRegistry;
import dev.twinbox.relay.store.UpkeepTimes;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.quartz.Job;
import org.quartz.JobBuilder;
import org.quartz.JobDetail;
import org.quartz.JobKey;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.SimpleScheduleBuilder;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.TriggerKey;
import org.quartz.impl.SchedulerRepository;
import org.quartz.impl.StdSchedulerFactory;
import org.quartz.impl.matchers.GroupMatcher;
import org.quartz.utils.ConnectionProvider;
import org.quartz.utils.DBConnectionManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Quartz, twice: in memory, for this relay's lanes, heartbeat and look at the database; and on the
 * clustered JDBC store, with threads of its own, for the upkeep that one relay of all does.
 *
 * <p>All triggers are plain intervals, so daylight saving means nothing to them, and what misfired
 * is caught up with one run.
 */
public final class RelayScheduler implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(RelayScheduler.class);
  private static final int CLAIM_EVERY_MILLIS = 500;
  private static final int LOOK_EVERY_MILLIS = 1_000;
  private static final Duration UPKEEP_DEADLINE = Duration.ofSeconds(5);

  private final String relay;
  private final LaneShare share;
  private final Mending mending;
  private final RestoreWatch restoreWatch;
  private final UpkeepTimes upkeepTimes;
  private final DataSource dataSource;
  private final Tables tables;
  private final Upkeep upkeep;
  private final Sampling sampling;
  private final Outages outages;
  private final int heartbeatMillis;
  private final LaneRoster roster;
  private final IdlePoll idlePoll;
  private @Nullable Scheduler drains;
  private @Nullable Scheduler duties;

  /**
   * @param relay this relay's name, unique among all
   * @param dataSource for Quartz's own tables
   * @param tables where the tables are
   * @param registry which relays live
   * @param mending looks every second whether rows were removed
   * @param restoreWatch looks every second whether the database is still the same
   * @param upkeepTimes keeps that from being planned too far ahead
   * @param upkeep what one relay of all does
   * @param roster the lanes to drain; asked for again each second
   * @param idlePoll asks for lanes that have nothing to do
   * @param sampling tells others what this relay does
   * @param lease how long a heartbeat counts; there are three in that time, and at least two a
   *     second
   * @param clock this machine's, which is compared with the database's
   */
  public RelayScheduler(
      String relay,
      DataSource dataSource,
      Tables tables,
      RelayRegistry registry,
      Mending mending,
      RestoreWatch restoreWatch,
      UpkeepTimes upkeepTimes,
      Upkeep upkeep,
      LaneRoster roster,
      IdlePoll idlePoll,
      Sampling sampling,
      Duration lease,
      RelayClock clock) {
    this.relay = relay;
    this.dataSource = dataSource;
    this.tables = tables;
    this.mending = mending;
    this.restoreWatch = restoreWatch;
    this.upkeepTimes = upkeepTimes;
    this.roster = roster;
    this.idlePoll = idlePoll;
    this.share = new LaneShare(registry, relay, roster::lanes, clock);
    this.upkeep = upkeep;
    this.sampling = sampling;
    this.outages = new Outages(roster::lanes);
    this.heartbeatMillis = (int) Math.min(500, lease.toMillis() / 3);
  }

  /** For how long the database has not answered; it is asked once a second at least. */
  public Duration silence() {
    return share.silence();
  }

  /** Starts everything. */
  public void start() throws SchedulerException, SQLException {
    List<LaneDrain> lanes = roster.refresh(share::mayHold).added();
    share.refresh();
    Scheduler inMemory = create(inMemory());
    drains = inMemory;
    inMemory.setJobFactory(
        (fired, any) -> {
          JobDetail job = fired.getJobDetail();
          if (job.getKey().getName().equals(WatchJob.NAME)) {
            return new WatchJob(
                mending,
                restoreWatch,
                upkeepTimes,
                this::doubtLanes,
                this::refreshLanes,
                this::planUpkeepAgain);
          }
          if (job.getKey().getName().equals(StandInJob.NAME)) {
            return new StandInJob(upkeep);
          }
          if (job.getKey().getName().equals(PollJob.NAME)) {
            return new PollJob(idlePoll);
          }
          if (job.getKey().getName().equals(OutageJob.NAME)) {
            return new OutageJob(outages, this::revive);
          }
          if (job.getKey().getName().equals(SampleJob.NAME)) {
            return new SampleJob(sampling);
          }
          String duty = job.getJobDataMap().getString(DutyJob.DUTY);
          if (duty != null) {
            return new DutyJob(upkeep, DutyJob.Duty.valueOf(duty));
          }
          String lane = job.getJobDataMap().getString(DrainJob.LANE);
          return lane == null ? new ShareJob(share) : drainJob(lane);
        });
    inMemory.scheduleJob(
        JobBuilder.newJob(ShareJob.class).withIdentity("share").build(),
        every(heartbeatMillis, "share"));
    inMemory.scheduleJob(
        JobBuilder.newJob(WatchJob.class).withIdentity(WatchJob.NAME).build(),
        every(LOOK_EVERY_MILLIS, WatchJob.NAME));
    inMemory.scheduleJob(
        JobBuilder.newJob(StandInJob.class).withIdentity(StandInJob.NAME).build(),
        every(CLAIM_EVERY_MILLIS, StandInJob.NAME));
    inMemory.scheduleJob(
        JobBuilder.newJob(SampleJob.class).withIdentity(SampleJob.NAME).build(),
        every(LOOK_EVERY_MILLIS, SampleJob.NAME));
    inMemory.scheduleJob(
        JobBuilder.newJob(PollJob.class).withIdentity(PollJob.NAME).build(),
        every(CLAIM_EVERY_MILLIS, PollJob.NAME));
    inMemory.scheduleJob(
        JobBuilder.newJob(OutageJob.class).withIdentity(OutageJob.NAME).build(),
        every(CLAIM_EVERY_MILLIS, OutageJob.NAME));
    for (DutyJob.Duty duty : DutyJob.Duty.values()) {
      inMemory.scheduleJob(
          JobBuilder.newJob(DutyJob.class)
              .withIdentity(duty.name())
              .usingJobData(DutyJob.DUTY, duty.name())
              .build(),
          every(duty.everyMillis, duty.name()));
    }
    for (LaneDrain lane : lanes) {
      schedule(inMemory, lane);
    }
    Scheduler clustered = create(clustered());
    duties = clustered;
    // What a newer relay has planned is left to the newer relays: an exception here would make
    // Quartz give it up on all of them.
    clustered.setJobFactory(
        (fired, any) ->
            fired.getJobDetail().getKey().getName().equals(UpkeepJob.NAME)
                ? new UpkeepJob(upkeep)
                : unknown -> {});
    for (String former : UpkeepJob.FORMER_NAMES) {
      clustered.deleteJob(new JobKey(former));
    }
    planUpkeep(clustered);
    inMemory.start();
    clustered.start();
  }

  private static void planUpkeep(Scheduler clustered) throws SchedulerException {
    clustered.scheduleJob(
        JobBuilder.newJob(UpkeepJob.class).withIdentity(UpkeepJob.NAME).build(),
        Set.of(every((int) UpkeepJob.EVERY.toMillis(), UpkeepJob.NAME)),
        /* replace= */ true);
  }

  /** Somebody has removed Quartz's rows: no relay would do any upkeep any more. */
  private void planUpkeepAgain() {
    Scheduler clustered = duties;
    if (clustered == null) {
      return;
    }
    try {
      planUpkeep(clustered);
      log.warn("The plan of upkeep was removed from Quartz's tables; made again");
    } catch (SchedulerException e) {
      log.warn("The plan of upkeep was removed and is not made again yet: {}", e.getMessage());
    }
  }

  private static void schedule(Scheduler scheduler, LaneDrain lane) throws SchedulerException {
    String name = jobName(lane);
    JobDetail job =
        JobBuilder.newJob(DrainJob.class)
            .withIdentity(name)
            .usingJobData(DrainJob.LANE, Integer.toString(lane.lane()))
            .build();
    scheduler.scheduleJob(job, every(CLAIM_EVERY_MILLIS, name));
  }

  private static String jobName(LaneDrain lane) {
    return "lane-" + lane.lane();
  }

  private Job drainJob(String number) {
    return roster.lanes().stream()
        .filter(lane -> Integer.toString(lane.lane()).equals(number))
        .findFirst()
        .<Job>map(DrainJob::new)
        .orElse(closed -> {});
  }

  /** Quartz gives a trigger up for good over one failure to start its job. */
  private void revive() {
    Scheduler inMemory = drains;
    if (inMemory == null) {
      return;
    }
    try {
      for (TriggerKey each : inMemory.getTriggerKeys(GroupMatcher.anyTriggerGroup())) {
        if (inMemory.getTriggerState(each) == Trigger.TriggerState.ERROR) {
          log.warn("Quartz had given up {}; it goes on", each.getName());
          inMemory.resetTriggerFromErrorState(each);
        }
      }
    } catch (SchedulerException e) {
      log.debug("It is unknown whether Quartz has given anything up", e);
    }
  }

  private void doubtLanes() {
    roster.lanes().forEach(LaneDrain::doubt);
  }

  /** Takes up lanes that are new, and leaves those that are closed. */
  private void refreshLanes() {
    Scheduler inMemory = drains;
    if (inMemory == null) {
      return;
    }
    revive();
    try {
      LaneRoster.Change change = roster.refresh(share::mayHold);
      for (LaneDrain lane : change.added()) {
        schedule(inMemory, lane);
      }
      for (LaneDrain lane : change.closed()) {
        lane.requestStop();
        inMemory.deleteJob(new JobKey(jobName(lane)));
      }
    } catch (SQLException e) {
      log.warn("It is unknown which lanes there are; they are asked for again: {}", e.getMessage());
    } catch (SchedulerException e) {
      log.error("A lane could not be scheduled; a restart of this relay takes it up", e);
    }
  }

  private static Trigger every(int millis, String name) {
    return TriggerBuilder.newTrigger()
        .withIdentity(name)
        .withSchedule(
            SimpleScheduleBuilder.simpleSchedule()
                .withIntervalInMilliseconds(millis)
                .repeatForever()
                .withMisfireHandlingInstructionNowWithExistingCount())
        .startNow()
        .build();
  }

  private Properties inMemory() {
    Properties properties = new Properties();
    properties.setProperty("org.quartz.scheduler.instanceName", "twinbox-lanes-" + relay);
    properties.setProperty("org.quartz.scheduler.instanceId", relay);
    properties.setProperty("org.quartz.threadPool.class", LaneThreads.class.getName());
    properties.setProperty("org.quartz.jobStore.class", "org.quartz.simpl.RAMJobStore");
    properties.setProperty("org.quartz.jobStore.misfireThreshold", "1000");
    return common(properties);
  }

  private Properties clustered() {
    String source = "twinbox-" + relay;
    DBConnectionManager.getInstance()
        .addConnectionProvider(source, new Connections(new OwnTransactions(dataSource)));
    Properties properties = new Properties();
    properties.setProperty("org.quartz.scheduler.instanceName", UpkeepTimes.SCHEDULER);
    properties.setProperty("org.quartz.scheduler.instanceId", relay);
    properties.setProperty("org.quartz.threadPool.class", "org.quartz.simpl.SimpleThreadPool");
    properties.setProperty("org.quartz.threadPool.makeThreadsDaemons", "true");
    properties.setProperty("org.quartz.threadPool.threadCount", "1");
    String store = "org.quartz.jobStore.";
    properties.setProperty(store + "class", "org.quartz.impl.jdbcjobstore.JobStoreTX");
    properties.setProperty(
        store + "driverDelegateClass", "org.quartz.impl.jdbcjobstore.PostgreSQLDelegate");
    properties.setProperty(store + "dataSource", source);
    properties.setProperty(store + "tablePrefix", tables.of("qrtz_"));
    properties.setProperty(store + "useProperties", "true");
    properties.setProperty(store + "isClustered", "true");
    properties.setProperty(store + "clusterCheckinInterval", "10000");
    properties.setProperty(store + "misfireThreshold", "20000");
    properties.setProperty(store + "acquireTriggersWithinLock", "true");
    return common(properties);
  }

  private static Properties common(Properties properties) {
    properties.setProperty("org.quartz.scheduler.skipUpdateCheck", "true");
    properties.setProperty("org.quartz.scheduler.makeSchedulerThreadDaemon", "true");
    return properties;
  }

  /**
   * Quartz keeps one scheduler a name and virtual machine; all relays of a database share the name
   * of the clustered one, also two within one process.
   */
  private static Scheduler create(Properties properties) throws SchedulerException {
    synchronized (RelayScheduler.class) {
      Scheduler scheduler = new StdSchedulerFactory(properties).getScheduler();
      SchedulerRepository.getInstance()
          .remove(properties.getProperty("org.quartz.scheduler.instanceName"));
      return scheduler;
    }
  }

  /** Lends Quartz our connections. */
  private record Connections(OwnTransactions transactions) implements ConnectionProvider {
    @Override
    public Connection getConnection() throws SQLException {
      return transactions.open();
    }

    @Override
    public void initialize() {}

    @Override
    public void shutdown() {}
  }

  /** Ends sessions, lets each lane finish up and release, and leaves the others. */
  @Override
  public void close() {
    roster.lanes().forEach(LaneDrain::requestStop);
    idlePoll.requestStop();
    upkeep.requestStop();
    standby(duties);
    upkeep.awaitQuiet(UPKEEP_DEADLINE);
    awaitNoted();
    shutdown(duties);
    shutdown(drains);
    // A session after the stop finishes up; it waits for the one that runs, which does the same.
    finishLanes();
    share.leave();
  }

  /** Each on a thread of its own: one that waits for its broker holds up no other. */
  private void finishLanes() {
    List<Thread> threads =
        roster.lanes().stream()
            .map(
                lane ->
                    new Thread(() -> lane.session(Duration.ZERO), "twinbox-stop-" + lane.lane()))
            .toList();
    threads.forEach(Thread::start);
    boolean interrupted = false;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
          threads.forEach(Thread::interrupt);
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitNoted() {
    try {
      upkeepTimes.awaitNoted(relay);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void standby(@Nullable Scheduler scheduler) {
    try {
      if (scheduler != null) {
        scheduler.standby();
      }
    } catch (SchedulerException e) {
      log.warn("Quartz did not pause", e);
    }
  }

  /**
   * Without waiting for jobs: Quartz would wait as long as the database is down, and for ever for a
   * job that it has handed to a thread which it tells to end before it begins.
   */
  private static void shutdown(@Nullable Scheduler scheduler) {
    if (scheduler == null) {
      return;
    }
    try {
      // Standby first: a shutdown interrupts the thread that may be in the middle of a statement.
      standby(scheduler);
      scheduler.shutdown(/* waitForJobsToComplete= */ false);
    } catch (SchedulerException e) {
      log.warn("Quartz did not shut down cleanly", e);
    }
  }
}
