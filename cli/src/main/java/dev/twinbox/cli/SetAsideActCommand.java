package dev.twinbox.cli;

import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** Changes the selected messages, once it is confirmed how many they are. */
final class SetAsideActCommand<T extends SetAside> extends SetAsideSubcommand<T> {
  /** What is done. */
  @FunctionalInterface
  interface Doing<T> {
    long with(T setAside, Selection selection, Act act) throws InterruptedException;
  }

  /**
   * What a command does.
   *
   * @param verb stands between "This would" and a number of messages
   * @param done says how many were changed
   * @param sends whether messages are sent again, with a pace and an expiry
   * @param ofDiscarded whether it changes what was discarded
   */
  record Doings<T>(String verb, String done, boolean sends, boolean ofDiscarded, Doing<T> doing) {}

  private final Doings<T> doings;

  @Mixin private ActOptions options = new ActOptions();

  private final ActOptions.PaceOptions pace = new ActOptions.PaceOptions();
  private final OptionSpec ttl =
      OptionSpec.builder("--ttl")
          .paramLabel("SECONDS")
          .type(Long.class)
          .description(
              "They expire anew, so many seconds from now. Without it an expiry that is over is"
                  + " left out.")
          .build();
  private @Nullable SelectionOptions selection;

  private Function<T, String> hint = setAside -> "";

  SetAsideActCommand(SetAsidePlace<T> place, Doings<T> doings) {
    super(place);
    this.doings = doings;
  }

  /** Says something before, unless it is empty. */
  SetAsideActCommand<T> hinting(Function<T, String> text) {
    hint = text;
    return this;
  }

  @Override
  void addOptions(CommandLine command) {
    selection = new SelectionOptions(place, spec);
    if (doings.sends()) {
      spec.addMixin("pace", CommandSpec.forAnnotatedObject(pace));
      spec.addOption(ttl);
    }
  }

  @Override
  public Integer call() {
    Selection named = Objects.requireNonNull(selection).deliberate(options.all());
    Act act = act();
    long changed =
        place.in(
            connection,
            setAside -> {
              String said = hint.apply(setAside);
              if (!said.isEmpty()) {
                spec.commandLine().getErr().println(said);
              }
              options.checkConfirmed(
                  setAside, doings.ofDiscarded() ? named.discarded() : named, doings.verb());
              return doings.doing().with(setAside, named, act);
            });
    if (json) {
      Json.print(out(), Map.of("affected", changed));
    } else {
      print(doings.done().formatted(changed));
    }
    return 0;
  }

  private Act act() {
    Act act = options.act(doings.sends() ? pace : null);
    Long seconds = ttl.getValue();
    try {
      return seconds == null ? act : act.timeToLive(Duration.ofSeconds(seconds));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), Explanation.of(e), e);
    }
  }
}
