package dev.twinbox.relay.schedule;

import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/** Quartz runs this on every relay: the heartbeat. */
@DisallowConcurrentExecution
final class ShareJob implements Job {
  private final LaneShare share;

  ShareJob(LaneShare share) {
    this.share = share;
  }

  @Override
  public void execute(JobExecutionContext context) {
    share.refresh();
  }
}
