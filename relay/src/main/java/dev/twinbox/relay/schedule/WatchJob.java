package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.UpkeepTimes;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/**
 * Quartz runs this on every relay: are all rows there, is the database still the same, is upkeep
 * planned and due in time, and which lanes are there?
 */
@DisallowConcurrentExecution
final class WatchJob implements Job {
  static final String NAME = "watch";

  private final Mending mending;
  private final RestoreWatch watch;
  private final UpkeepTimes times;
  private final Runnable doubtLanes;
  private final Runnable refreshLanes;
  private final Runnable planUpkeep;

  WatchJob(
      Mending mending,
      RestoreWatch watch,
      UpkeepTimes times,
      Runnable doubtLanes,
      Runnable refreshLanes,
      Runnable planUpkeep) {
    this.mending = mending;
    this.watch = watch;
    this.times = times;
    this.doubtLanes = doubtLanes;
    this.refreshLanes = refreshLanes;
    this.planUpkeep = planUpkeep;
  }

  @Override
  public void execute(JobExecutionContext context) {
    boolean mended = mending.look();
    if (watch.look() || mended) {
      doubtLanes.run();
    }
    if (times.pullIn()) {
      planUpkeep.run();
    }
    refreshLanes.run();
  }
}
