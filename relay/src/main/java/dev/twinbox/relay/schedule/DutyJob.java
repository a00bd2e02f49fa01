package dev.twinbox.relay.schedule;

import java.util.function.Consumer;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobExecutionContext;

/**
 * Quartz runs this on every relay, once for each duty; it does nothing but on the one in charge.
 */
@DisallowConcurrentExecution
final class DutyJob implements Job {
  static final String DUTY = "duty";

  private final Upkeep upkeep;
  private final Duty duty;

  DutyJob(Upkeep upkeep, Duty duty) {
    this.upkeep = upkeep;
    this.duty = duty;
  }

  @Override
  public void execute(JobExecutionContext context) {
    if (upkeep.isInCharge()) {
      duty.work.accept(upkeep);
    }
  }

  /** The duties beside the promotion of due messages, and how often each is due. */
  @SuppressWarnings("ImmutableEnumChecker") // method references only
  enum Duty {
    ROTATE(5_000, Upkeep::rotate),
    TRIM(30_000, Upkeep::trim),
    RETAIN(20_000, Upkeep::retain);

    final int everyMillis;
    private final Consumer<Upkeep> work;

    Duty(int everyMillis, Consumer<Upkeep> work) {
      this.everyMillis = everyMillis;
      this.work = work;
    }
  }
}
