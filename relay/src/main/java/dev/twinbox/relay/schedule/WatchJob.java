package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.UpkeepTimes;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/**
 * Quartz runs this on every relay: is the database still the same, is upkeep due in time, and which
 * lanes are there?
 */
@DisallowConcurrentExecution
final class WatchJob implements Job {
  static final String NAME = "watch";

  private final RestoreWatch watch;
  private final UpkeepTimes times;
  private final Runnable doubtLanes;
  private final Runnable refreshLanes;

  WatchJob(RestoreWatch watch, UpkeepTimes times, Runnable doubtLanes, Runnable refreshLanes) {
    this.watch = watch;
    this.times = times;
    this.doubtLanes = doubtLanes;
    this.refreshLanes = refreshLanes;
  }

  @Override
  public void execute(JobExecutionContext context) {
    if (watch.look()) {
      doubtLanes.run();
    }
    times.pullIn();
    refreshLanes.run();
  }
}
