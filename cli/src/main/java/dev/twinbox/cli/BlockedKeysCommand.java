package dev.twinbox.cli;

import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.store.DeadLetterTable.BlockedKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;

/** {@code twinbox dead-letters blocked}. */
final class BlockedKeysCommand extends SetAsideSubcommand<DeadLetterQueue> {
  @Mixin private SetAsideLimit limit = new SetAsideLimit();

  BlockedKeysCommand(SetAsidePlace<DeadLetterQueue> place) {
    super(place);
  }

  @Override
  public Integer call() {
    int most = limit.checked();
    List<BlockedKey> blocked = place.in(connection, letters -> letters.blockedKeys(most));
    if (json) {
      Json.print(out(), blocked.stream().map(BlockedKeysCommand::fields).toList());
      return 0;
    }
    TextTable table =
        new TextTable("KEY", "DEAD LETTER", "DESTINATION", "REASON", "SINCE", "WAITING BEHIND IT");
    blocked.forEach(
        each ->
            table.row(
                each.key(),
                each.number(),
                each.destination(),
                each.reason(),
                each.since(),
                each.waiting() + (each.waiting() < 10_000 ? "" : " or more")));
    table.print(out(), "No key is blocked.");
    out().flush();
    return 0;
  }

  private static Map<String, Object> fields(BlockedKey blocked) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("key", blocked.key());
    fields.put("deadLetter", blocked.number());
    fields.put("destination", blocked.destination());
    fields.put("reason", blocked.reason());
    fields.put("since", blocked.since().toString());
    fields.put("waiting", blocked.waiting());
    return fields;
  }
}
