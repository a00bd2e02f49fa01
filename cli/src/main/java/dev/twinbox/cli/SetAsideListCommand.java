package dev.twinbox.cli;

import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside;
import dev.twinbox.setaside.SetAsideMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** {@code list}: the messages without their payloads. */
final class SetAsideListCommand<T extends SetAside> extends SetAsideSubcommand<T> {
  private static final int UNLESS_SAID = 100;
  private static final int WIDEST = 60;

  private final OptionSpec discarded;
  private @Nullable SelectionOptions selection;

  SetAsideListCommand(SetAsidePlace<T> place) {
    super(place);
    discarded =
        OptionSpec.builder("--discarded")
            .type(boolean.class)
            .description(
                place.discardedAlone()
                    ? "Those that were discarded and can be restored."
                    : "Also those that were discarded.")
            .build();
  }

  @Override
  void addOptions(CommandLine command) {
    selection = new SelectionOptions(place, spec);
    if (place.hasReasons()) {
      spec.addOption(discarded);
    }
  }

  @Override
  public Integer call() {
    Selection listed = Objects.requireNonNull(selection).listed(UNLESS_SAID);
    Boolean wanted = discarded.getValue();
    Selection which =
        !Boolean.TRUE.equals(wanted)
            ? listed
            : place.discardedAlone() ? listed.discarded() : listed.discardedToo();
    List<SetAsideMessage> found = place.in(connection, setAside -> setAside.list(which));
    if (json) {
      Json.print(out(), found.stream().map(SetAsideJson::message).toList());
      return 0;
    }
    List<String> titles =
        new ArrayList<>(
            List.of(
                "NUMBER",
                place.hasReasons() ? "SINCE" : "DUE",
                place.where().toUpperCase(Locale.ROOT),
                "ID",
                "KEY",
                "TYPE",
                "BYTES",
                "EXPIRES"));
    if (place.hasReasons()) {
      titles.addAll(List.of("REASON", "ATTEMPTS", "ERROR"));
    }
    TextTable table = new TextTable(titles.toArray(String[]::new));
    found.forEach(message -> table.row(cells(message).toArray()));
    table.print(out(), place.nothing());
    out().flush();
    return 0;
  }

  private List<Object> cells(SetAsideMessage message) {
    List<Object> cells = new ArrayList<>();
    cells.add(message.number());
    cells.add(message.at());
    cells.add(shown(message.consumer() == null ? message.destination() : message.consumer()));
    cells.add(shown(message.id()));
    cells.add(shown(message.key()));
    cells.add(shown(message.type()));
    cells.add(message.payloadBytes());
    cells.add(shown(message.expiresAt()));
    if (place.hasReasons()) {
      cells.add(
          message.reason()
              + (message.blocksKey() ? ", blocks its key" : "")
              + (message.redrive() == null ? "" : ", waits for a redrive")
              + (message.discardedAt() == null ? "" : ", discarded"));
      cells.add(message.attempts());
      cells.add(firstLine(shown(message.error())));
    }
    return cells;
  }

  static String shown(@Nullable Object value) {
    return value == null || value.toString().isEmpty() ? "-" : value.toString();
  }

  static String firstLine(String text) {
    String line = text.lines().findFirst().orElse("");
    return line.length() <= WIDEST ? line : line.substring(0, WIDEST) + "…";
  }
}
