package dev.twinbox.cli;

import static dev.twinbox.cli.SetAsideListCommand.shown;

import dev.twinbox.setaside.Cause;
import dev.twinbox.setaside.SetAside;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code group}: how many there are of each cause. */
final class SetAsideGroupCommand<T extends SetAside> extends SetAsideSubcommand<T> {
  private @Nullable SelectionOptions selection;

  SetAsideGroupCommand(SetAsidePlace<T> place) {
    super(place);
  }

  @Override
  void addOptions(CommandLine command) {
    selection = new SelectionOptions(place, spec);
  }

  @Override
  public Integer call() {
    SelectionOptions options = Objects.requireNonNull(selection);
    List<Cause> causes = place.in(connection, setAside -> setAside.causes(options.selection()));
    if (json) {
      Json.print(
          out(), causes.stream().map(cause -> SetAsideJson.cause(place.where(), cause)).toList());
      return 0;
    }
    TextTable table =
        new TextTable(
            place.where().toUpperCase(Locale.ROOT),
            "REASON",
            "ERROR",
            "IN",
            "COUNT",
            "OLDEST",
            "NEWEST",
            "CAUSE",
            "LAST ERROR");
    for (Cause cause : causes) {
      table.row(
          cause.where(),
          cause.reason(),
          shown(cause.error()),
          shown(cause.frame()),
          cause.count(),
          cause.oldest(),
          cause.newest(),
          cause.cause(),
          SetAsideListCommand.firstLine(shown(cause.lastError())));
    }
    table.print(out(), place.nothing());
    out().flush();
    return 0;
  }
}
