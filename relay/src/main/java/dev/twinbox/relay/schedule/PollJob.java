package dev.twinbox.relay.schedule;

import dev.twinbox.relay.drain.IdlePoll;
import java.time.Duration;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/** Quartz runs this on every relay: one bounded session of asking for idle lanes. */
@DisallowConcurrentExecution
final class PollJob implements Job {
  static final String NAME = "poll";
  private static final Duration SESSION = Duration.ofSeconds(5);

  private final IdlePoll poll;

  PollJob(IdlePoll poll) {
    this.poll = poll;
  }

  @Override
  public void execute(JobExecutionContext context) {
    poll.session(SESSION);
  }
}
