package dev.twinbox.relay.schedule;

import java.time.Duration;
import java.util.List;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/**
 * Quartz runs this on one relay of all, which so is in charge of upkeep for a session. Few long
 * sessions: each firing costs some thirty statements on Quartz's tables.
 */
@DisallowConcurrentExecution
final class UpkeepJob implements Job {
  /** In Quartz's tables. */
  static final String NAME = "UPKEEP";

  /** Of earlier versions, which had one for each duty. */
  static final List<String> FORMER_NAMES = List.of("PROMOTE", "ROTATE", "TRIM", "RETAIN");

  /** From one firing to the next; a session is as long, so that one follows the other. */
  static final Duration EVERY = Duration.ofSeconds(20);

  private final Upkeep upkeep;

  UpkeepJob(Upkeep upkeep) {
    this.upkeep = upkeep;
  }

  @Override
  public void execute(JobExecutionContext context) {
    upkeep.takeCharge(EVERY);
  }
}
