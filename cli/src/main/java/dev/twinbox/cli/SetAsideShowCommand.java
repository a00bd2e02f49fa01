package dev.twinbox.cli;

import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside;
import dev.twinbox.setaside.SetAsideMessage;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code show}: everything about the selected messages, payloads only if asked. */
final class SetAsideShowCommand<T extends SetAside> extends SetAsideSubcommand<T> {
  private static final int UNLESS_SAID = 100;

  @Option(
      names = "--payload",
      description = "Payloads too, which may be confidential: as text, or else in base 64.")
  private boolean payload;

  private @Nullable SelectionOptions selection;

  SetAsideShowCommand(SetAsidePlace<T> place) {
    super(place);
  }

  @Override
  void addOptions(CommandLine command) {
    selection = new SelectionOptions(place, spec);
  }

  @Override
  public Integer call() {
    SelectionOptions options = Objects.requireNonNull(selection);
    if (options.selection().isEverything()) {
      throw new ParameterException(spec.commandLine(), "Say which, for example with --number N.");
    }
    Selection listed = options.listed(UNLESS_SAID);
    List<SetAsideMessage> found = place.in(connection, setAside -> read(setAside, listed));
    if (found.isEmpty()) {
      throw new CommandException(place.nothing());
    }
    List<Map<String, @Nullable Object>> shown = found.stream().map(this::fields).toList();
    if (json || place.showsJson()) {
      Json.print(out(), place.showsJson() && shown.size() == 1 ? shown.get(0) : shown);
    } else {
      shown.forEach(this::printLines);
      out().flush();
    }
    return 0;
  }

  private List<SetAsideMessage> read(T setAside, Selection listed) {
    List<SetAsideMessage> all = setAside.list(listed.discardedToo());
    return payload
        ? all.stream().flatMap(message -> setAside.find(message.number()).stream()).toList()
        : all;
  }

  private Map<String, @Nullable Object> fields(SetAsideMessage message) {
    Map<String, @Nullable Object> fields = SetAsideJson.message(message);
    if (payload) {
      fields.put(
          "payload",
          json && !place.showsJson()
              ? Payloads.base64(message.payload())
              : Payloads.readable(message.payload()));
    }
    return fields;
  }

  private void printLines(Map<String, @Nullable Object> fields) {
    out().println();
    fields.forEach(
        (name, value) -> {
          if (value != null) {
            out().println("%-14s %s".formatted(name, value));
          }
        });
  }
}
