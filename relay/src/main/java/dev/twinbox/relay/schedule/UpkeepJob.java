package dev.twinbox.relay.schedule;

import java.util.function.Consumer;
import java.util.stream.Stream;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobDataMap;
import org.quartz.JobExecutionContext;

/** Quartz runs this on one relay of all, once for each duty. Its name is in Quartz's tables. */
@DisallowConcurrentExecution
final class UpkeepJob implements Job {
  static final String DUTY = "duty";

  private final Upkeep upkeep;
  private final Duty duty;

  UpkeepJob(Upkeep upkeep, Duty duty) {
    this.upkeep = upkeep;
    this.duty = duty;
  }

  /**
   * The job for a duty. One that a newer relay has scheduled is left to the newer relays: an
   * exception here would make Quartz stop the duty on all of them.
   */
  static Job of(Upkeep upkeep, JobDataMap data) {
    return Stream.of(Duty.values())
        .filter(duty -> duty.name().equals(data.getString(DUTY)))
        .findFirst()
        .<Job>map(duty -> new UpkeepJob(upkeep, duty))
        .orElse(unknown -> {});
  }

  @Override
  public void execute(JobExecutionContext context) {
    duty.work.accept(upkeep);
  }

  /** The duties and how often each is due. */
  @SuppressWarnings("ImmutableEnumChecker") // method references only
  enum Duty {
    PROMOTE(5_000, Upkeep::promote),
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
