package dev.twinbox.cli;

import dev.twinbox.setaside.AuditLine;
import dev.twinbox.setaside.SetAside;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code audit}: who did what, newest first. */
final class SetAsideAuditCommand<T extends SetAside> extends SetAsideSubcommand<T> {
  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "50",
      description = "At most N lines, default ${DEFAULT-VALUE}.")
  private int limit;

  SetAsideAuditCommand(SetAsidePlace<T> place) {
    super(place);
  }

  @Override
  public Integer call() {
    if (limit < 1 || limit > 10_000) {
      throw new ParameterException(
          spec.commandLine(), "--limit is %s; choose 1 to 10000.".formatted(limit));
    }
    List<AuditLine> lines = place.in(connection, setAside -> setAside.audit(limit));
    if (json) {
      Json.print(out(), lines.stream().map(SetAsideJson::line).toList());
      return 0;
    }
    TextTable table = new TextTable("TIME", "BY", "ACTION", "SELECTION", "MESSAGES");
    lines.forEach(
        each -> table.row(each.at(), each.by(), each.action(), each.selection(), each.affected()));
    table.print(out(), "Nobody has done anything yet.");
    out().flush();
    return 0;
  }
}
