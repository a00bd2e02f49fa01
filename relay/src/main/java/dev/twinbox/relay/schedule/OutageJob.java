package dev.twinbox.relay.schedule;

import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/** Quartz runs this on every relay: it says when brokers cease and begin to take messages. */
@DisallowConcurrentExecution
final class OutageJob implements Job {
  static final String NAME = "outages";

  private final Outages outages;
  private final Runnable revive;

  OutageJob(Outages outages, Runnable revive) {
    this.outages = outages;
    this.revive = revive;
  }

  @Override
  public void execute(JobExecutionContext context) {
    revive.run();
    outages.look();
  }
}
