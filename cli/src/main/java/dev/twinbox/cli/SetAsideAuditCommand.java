package dev.twinbox.cli;

import dev.twinbox.setaside.AuditLine;
import dev.twinbox.setaside.SetAside;
import java.util.List;
import picocli.CommandLine.Mixin;

/** {@code audit}: who did what, newest first. */
final class SetAsideAuditCommand<T extends SetAside> extends SetAsideSubcommand<T> {
  @Mixin private SetAsideLimit limit = new SetAsideLimit();

  SetAsideAuditCommand(SetAsidePlace<T> place) {
    super(place);
  }

  @Override
  public Integer call() {
    int most = limit.checked();
    List<AuditLine> lines = place.in(connection, setAside -> setAside.audit(most));
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
