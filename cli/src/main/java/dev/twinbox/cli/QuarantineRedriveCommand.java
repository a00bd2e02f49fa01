package dev.twinbox.cli;

import dev.twinbox.inbox.Quarantine;
import dev.twinbox.inbox.Redrive;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code twinbox quarantine redrive}. */
final class QuarantineRedriveCommand extends SetAsideSubcommand<Quarantine> {
  private static final long LOOK_MILLIS = 1_000;
  private static final int FAILED = 1;

  @Mixin private ActOptions act = new ActOptions();
  @Mixin private ActOptions.PaceOptions pace = new ActOptions.PaceOptions();

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

  private @Nullable SelectionOptions selection;

  QuarantineRedriveCommand(SetAsidePlace<Quarantine> place) {
    super(place);
  }

  @Override
  void addOptions(CommandLine command) {
    selection = new SelectionOptions(place, spec);
  }

  @Override
  public Integer call() {
    if (stop != null) {
      return stop(stop);
    }
    Selection named = Objects.requireNonNull(selection).deliberate(act.all());
    Act terms = act.act(pace);
    return place.in(connection, quarantine -> redrive(quarantine, named, terms));
  }

  private int redrive(Quarantine quarantine, Selection named, Act terms)
      throws InterruptedException {
    act.checkConfirmed(quarantine, named, "redrive");
    List<Redrive> redrives = quarantine.redrive(named, terms);
    if (!json) {
      redrives.forEach(
          redrive ->
              print(
                  "Redrive %s: %s messages of consumer %s, at most %s a second."
                      .formatted(
                          redrive.number(),
                          redrive.selected(),
                          redrive.consumer(),
                          redrive.perSecond())));
      if (redrives.isEmpty()) {
        print(place.nothing() + " Or they wait for a redrive already.");
      }
    }
    List<Redrive> last = wait == null ? redrives : waitFor(quarantine, redrives, wait);
    if (json) {
      Json.print(out(), last.stream().map(SetAsideJson::redrive).toList());
    }
    return last.stream().anyMatch(redrive -> redrive.failed() > 0) ? FAILED : 0;
  }

  private List<Redrive> waitFor(Quarantine quarantine, List<Redrive> redrives, long seconds)
      throws InterruptedException {
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    List<Redrive> now = redrives;
    while (now.stream().anyMatch(redrive -> !redrive.isFinished())
        && (seconds == 0 || System.nanoTime() - end < 0)) {
      Thread.sleep(LOOK_MILLIS);
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
    long stopped = place.in(connection, quarantine -> quarantine.stopRedrive(redrive, act.by()));
    print("%s messages wait no longer; they stay in quarantine.".formatted(stopped));
    return 0;
  }
}
