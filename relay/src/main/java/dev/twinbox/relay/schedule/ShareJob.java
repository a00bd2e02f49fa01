package dev.twinbox.relay.schedule;

import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/** Quartz runs this on every relay: the heartbeat, and a look at which lanes there are. */
@DisallowConcurrentExecution
final class ShareJob implements Job {
  private final LaneShare share;
  private final Runnable refreshLanes;

  ShareJob(LaneShare share, Runnable refreshLanes) {
    this.share = share;
    this.refreshLanes = refreshLanes;
  }

  @Override
  public void execute(JobExecutionContext context) {
    share.refresh();
    refreshLanes.run();
  }
}
