package dev.twinbox.relay.schedule;

import dev.twinbox.relay.drain.LaneDrain;
import java.time.Duration;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/** Quartz runs this for each lane: one bounded session. */
@DisallowConcurrentExecution
final class DrainJob implements Job {
  static final String LANE = "lane";
  private static final Duration SESSION = Duration.ofSeconds(5);

  private final LaneDrain lane;

  DrainJob(LaneDrain lane) {
    this.lane = lane;
  }

  @Override
  public void execute(JobExecutionContext context) {
    lane.session(SESSION);
  }
}
