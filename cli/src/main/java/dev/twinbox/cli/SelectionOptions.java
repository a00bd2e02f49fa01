package dev.twinbox.cli;

import dev.twinbox.setaside.Filter;
import dev.twinbox.setaside.Selection;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** The options that select messages: one for each {@link Filter} of the place, and the limit. */
final class SelectionOptions {
  private static final long MOST_LISTED = 10_000;

  private final SetAsidePlace<?> place;
  private final CommandSpec command;
  private final Map<OptionSpec, Filter> options = new LinkedHashMap<>();
  private final OptionSpec limit =
      OptionSpec.builder("--limit")
          .paramLabel("N")
          .type(Long.class)
          .description("At most N, the first ones.")
          .build();

  /** Adds the options to a command. */
  SelectionOptions(SetAsidePlace<?> place, CommandSpec command) {
    this.place = place;
    this.command = command;
    place.filters().stream()
        .sorted()
        .forEach(filter -> add(filter, "--" + filter.code(), /* hidden= */ false));
    place.aliases().forEach((name, filter) -> add(filter, name, /* hidden= */ true));
    command.addOption(limit);
  }

  private void add(Filter filter, String name, boolean hidden) {
    OptionSpec.Builder option =
        OptionSpec.builder(name)
            .paramLabel(filter.label())
            .description(filter.description())
            .hidden(hidden);
    OptionSpec added =
        switch (filter.value()) {
          case NUMBERS ->
              option.type(List.class).auxiliaryTypes(Long.class).splitRegex(",").build();
          case TEXTS ->
              option
                  .type(List.class)
                  .auxiliaryTypes(place.hasForeignIds() ? String.class : UUID.class)
                  .splitRegex(",")
                  .build();
          case NUMBER -> option.type(Long.class).build();
          case TEXT -> option.type(String.class).build();
          case TIME -> option.type(Instant.class).converters(new InstantConverter()).build();
        };
    options.put(added, filter);
    command.addOption(added);
  }

  /** What was selected, possibly everything. */
  Selection selection() {
    Selection selection = Selection.all();
    for (Map.Entry<OptionSpec, Filter> each : options.entrySet()) {
      Object value = each.getKey().getValue();
      if (value != null && !value.equals(List.of())) {
        selection = selection.with(each.getValue(), checked(each.getValue(), value));
      }
    }
    Long most = limit.getValue();
    return most == null ? selection : selection.limit(checked(most));
  }

  /** The same for a list, which has an end. */
  Selection listed(long unlessSaid) {
    Selection selection = selection();
    Long most = selection.limit();
    if (most != null && most > MOST_LISTED) {
      throw wrong("--limit is %s; choose 1 to %s.".formatted(most, MOST_LISTED));
    }
    return most == null ? selection.limit(unlessSaid) : selection;
  }

  /** What was selected, on purpose. */
  Selection deliberate(boolean all) {
    Selection selection = selection();
    if (selection.isEverything() && !all) {
      throw wrong(
          "Say which: %s, --limit, or --all."
              .formatted(
                  place.filters().stream()
                      .sorted()
                      .map(filter -> "--" + filter.code())
                      .collect(Collectors.joining(", "))));
    }
    return selection;
  }

  private long checked(long most) {
    if (most < 1) {
      throw wrong("--limit is %s; choose at least 1.".formatted(most));
    }
    return most;
  }

  private Object checked(Filter filter, Object value) {
    if (filter.value() == Filter.Value.TEXTS) {
      return ((List<?>) value).stream().map(Object::toString).toList();
    }
    if (filter != Filter.REASON || place.reasons().isEmpty()) {
      return value;
    }
    String code = value.toString().toLowerCase(Locale.ROOT);
    if (!place.reasons().contains(code)) {
      throw wrong(
          "--reason is none of %s."
              .formatted(place.reasons().stream().sorted().collect(Collectors.joining(", "))));
    }
    return code;
  }

  private ParameterException wrong(String complaint) {
    return new ParameterException(command.commandLine(), complaint);
  }
}
