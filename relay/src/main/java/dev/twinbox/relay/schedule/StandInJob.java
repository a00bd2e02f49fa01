package dev.twinbox.relay.schedule;

import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/**
 * Quartz runs this on every relay, in bounded sessions: is something overdue that the relay in
 * charge has not moved?
 */
@DisallowConcurrentExecution
final class StandInJob implements Job {
  static final String NAME = "stand-in";

  private final Upkeep upkeep;

  StandInJob(Upkeep upkeep) {
    this.upkeep = upkeep;
  }

  @Override
  public void execute(JobExecutionContext context) {
    upkeep.standIn();
  }
}
