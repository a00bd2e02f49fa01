package dev.twinbox.cli;

import dev.twinbox.inbox.Quarantine;
import dev.twinbox.inbox.QuarantineBeyondHorizonException;
import dev.twinbox.inbox.QuarantineSelection;
import dev.twinbox.inbox.Redrive;
import dev.twinbox.inbox.RedriveTerms;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox quarantine redrive}. */
@Command(
    name = "redrive",
    mixinStandardHelpOptions = true,
    description =
        "Has the running consumers handle messages once more, in the order of their numbers. What"
            + " fails comes back to quarantine with its new error. With --wait the exit code is 1"
            + " if any did.")
final class QuarantineRedriveCommand implements Callable<Integer> {
  private static final long LOOK_MILLIS = 1_000;
  private static final int FAILED = 1;

  @Mixin private ConnectionOptions connection = new ConnectionOptions();
  @Mixin private QuarantineOptions options = new QuarantineOptions();
  @Mixin private QuarantineActOptions act = new QuarantineActOptions();

  @Option(
      names = "--rate",
      paramLabel = "N",
      description = "The most messages a second, default 50; 0.1 is one in ten seconds.")
  private double rate = 50;

  @Option(
      names = "--beyond-horizon",
      description =
          "Also those too old for anybody to say whether they were processed: their effects may"
              + " happen twice.")
  private boolean beyondHorizon;

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      arity = "0..1",
      fallbackValue = "0",
      description = "Show the progress until the end, or for so long.")
  private @Nullable Long wait;

  @Option(
      names = "--stop",
      paramLabel = "REDRIVE",
      description = "Instead, stop the redrive with this number; what it has not begun stays.")
  private @Nullable Long stop;

  @Option(names = "--json", description = "Print JSON, at the end.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    if (stop != null) {
      return stop(stop);
    }
    if (!(rate > 0 && rate <= 100_000)) {
      throw new ParameterException(
          spec.commandLine(), "--rate is %s; choose more than 0, up to 100,000.".formatted(rate));
    }
    return options.with(connection, this::redrive);
  }

  private int redrive(Quarantine quarantine) {
    QuarantineSelection selection =
        act.confirmed(quarantine, options.selection(), Quarantine::count, "redrive");
    List<Redrive> redrives = begin(quarantine, selection);
    if (!json) {
      redrives.forEach(
          redrive ->
              print(
                  "Redrive %s: %s messages of consumer %s, at most %s a second."
                      .formatted(redrive.number(), redrive.selected(), redrive.consumer(), rate)));
      if (redrives.isEmpty()) {
        print("Nothing of the kind lies in quarantine, or it waits for a redrive already.");
      }
    }
    List<Redrive> last = wait == null ? redrives : waitFor(quarantine, redrives, wait);
    if (json) {
      Json.print(out(), last.stream().map(QuarantineJson::redrive).toList());
    }
    return last.stream().anyMatch(redrive -> redrive.failed() > 0) ? FAILED : 0;
  }

  private List<Redrive> begin(Quarantine quarantine, QuarantineSelection selection) {
    try {
      return quarantine.redrive(selection, new RedriveTerms(act.by(), rate, beyondHorizon));
    } catch (QuarantineBeyondHorizonException e) {
      throw new CommandException(
          ("%s of the messages are beyond the dedup horizon: nobody can say any more whether they"
                  + " were processed, and their effects may happen twice. Nothing was done: leave"
                  + " them out, or repeat it with --beyond-horizon.")
              .formatted(e.count()),
          e);
    }
  }

  private List<Redrive> waitFor(Quarantine quarantine, List<Redrive> redrives, long seconds) {
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    List<Redrive> now = redrives;
    while (now.stream().anyMatch(redrive -> !redrive.isFinished())
        && (seconds == 0 || System.nanoTime() - end < 0)) {
      try {
        Thread.sleep(LOOK_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return now;
      }
      now = look(quarantine, now);
    }
    return now;
  }

  private List<Redrive> look(Quarantine quarantine, List<Redrive> before) {
    List<Redrive> now = new ArrayList<>();
    for (Redrive redrive : before) {
      Redrive progress = quarantine.redriveProgress(redrive.number()).orElse(redrive);
      now.add(progress);
      if (!json && !progress.equals(redrive)) {
        print(
            "Redrive %s: %s of %s processed, %s duplicates, %s failed, %s waiting%s"
                .formatted(
                    progress.number(),
                    progress.processed(),
                    progress.selected(),
                    progress.duplicates(),
                    progress.failed(),
                    progress.waiting(),
                    progress.isFinished() ? ": finished." : "."));
      }
    }
    return now;
  }

  private int stop(long redrive) {
    long stopped =
        options.with(connection, quarantine -> quarantine.stopRedrive(redrive, act.by()));
    print("%s messages wait no longer; they stay in quarantine.".formatted(stopped));
    return 0;
  }

  private void print(String line) {
    out().println(line);
    out().flush();
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
