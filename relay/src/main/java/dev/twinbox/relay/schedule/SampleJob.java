package dev.twinbox.relay.schedule;

import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/** Quartz runs this on every relay: it writes down what the relay does. */
@DisallowConcurrentExecution
final class SampleJob implements Job {
  static final String NAME = "sample";

  private final Sampling sampling;

  SampleJob(Sampling sampling) {
    this.sampling = sampling;
  }

  @Override
  public void execute(JobExecutionContext context) {
    sampling.look();
  }
}
