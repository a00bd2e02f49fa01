package dev.twinbox.relay.schedule;

import dev.twinbox.relay.store.UpkeepTimes;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/** Quartz runs this on every relay: is the database still the same, and is upkeep due in time? */
@DisallowConcurrentExecution
final class WatchJob implements Job {
  static final String NAME = "watch";

  private final RestoreWatch watch;
  private final UpkeepTimes times;

  WatchJob(RestoreWatch watch, UpkeepTimes times) {
    this.watch = watch;
    this.times = times;
  }

  @Override
  public void execute(JobExecutionContext context) {
    watch.look();
    times.pullIn();
  }
}
