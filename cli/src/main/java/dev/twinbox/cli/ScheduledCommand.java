package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.Pipeline;
import dev.twinbox.relay.store.ScheduledFilter;
import dev.twinbox.relay.store.ScheduledTable;
import dev.twinbox.relay.store.ScheduledTable.Selected;
import dev.twinbox.relay.store.ScheduledTable.Waiting;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox scheduled}. */
@Command(
    name = "scheduled",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "Messages that are not due yet: look at them, cancel them. Each cancellation is recorded in"
            + " the audit, which 'dead-letters audit' shows.")
final class ScheduledCommand implements Runnable {
  private static final int NETWORK_TIMEOUT_MILLIS = 60_000;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Name one of list, show and cancel.");
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists messages that wait, those first that are due first.")
  void list(
      @Mixin ConnectionOptions connection,
      @Mixin ScheduledOptions which,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "50",
              description = "At most so many, default ${DEFAULT-VALUE}.")
          int limit,
      @Option(names = "--json", description = "Print JSON.") boolean json) {
    if (limit < 1 || limit > 10_000) {
      throw new ParameterException(
          spec.commandLine(), "--limit is %s; choose 1 to 10000.".formatted(limit));
    }
    List<Waiting> found = in(connection, table -> table.list(which.filter(), limit));
    if (json) {
      Json.print(out(), found.stream().map(ScheduledCommand::fields).toList());
      return;
    }
    TextTable table = new TextTable("DUE", "ID", "DESTINATION", "KEY", "TYPE", "BYTES", "EXPIRES");
    found.forEach(
        each ->
            table.row(
                each.dueAt(),
                each.message().id(),
                each.message().destination(),
                Objects.requireNonNullElse(each.message().key(), "-"),
                each.message().type(),
                each.size(),
                each.message().expiresAt() == null ? "-" : each.message().expiresAt()));
    table.print(out(), "No waiting messages match.");
    out().flush();
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      description = "Shows one message that waits, with its headers.")
  void show(
      @Mixin ConnectionOptions connection,
      @Option(names = "--id", paramLabel = "ID", required = true, description = "Which one.")
          UUID id,
      @Option(
              names = "--payload",
              description = "With its payload: as text when it is UTF-8, else in base 64.")
          boolean payload) {
    Waiting found =
        in(connection, table -> table.find(id))
            .orElseThrow(
                () ->
                    new CommandException(
                        "Message %s does not wait: it has become due, was cancelled, or never was here."
                            .formatted(id)));
    Map<String, @Nullable Object> fields = fields(found);
    fields.put("headers", found.message().headers());
    if (payload) {
      fields.put("payload", Payloads.readable(found.message().payload()));
    }
    Json.print(out(), fields);
  }

  @Command(
      name = "cancel",
      mixinStandardHelpOptions = true,
      description =
          "Cancels messages that wait: they are gone, and never published. Takes what matches when"
              + " it starts, and nothing that is enqueued later; what becomes due meanwhile goes"
              + " out.")
  void cancel(
      @Mixin ConnectionOptions connection,
      @Mixin ScheduledOptions which,
      @Option(names = "--all", description = "Mean every waiting message.") boolean all,
      @Mixin Confirmation confirmation) {
    ScheduledFilter filter = which.filter();
    if (filter.equals(ScheduledFilter.ALL) && !all) {
      throw new ParameterException(
          spec.commandLine(), "Say which: --id, --destination, --key, --due-before, or --all.");
    }
    long cancelled =
        in(
            connection,
            table -> {
              Selected selected = table.select(filter);
              confirmation.check(selected.count(), "cancel");
              return table.cancel(filter, selected.highest(), confirmation.by());
            });
    out().println("%s messages are cancelled.".formatted(cancelled));
    out().flush();
  }

  private interface Work<T> {
    T on(ScheduledTable table) throws SQLException;
  }

  private static <T> T in(ConnectionOptions connection, Work<T> work) {
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 1)) {
      return work.on(
          new ScheduledTable(
              new Pipeline(database, NETWORK_TIMEOUT_MILLIS), Tables.in(settings.schema())));
    } catch (SQLException e) {
      throw new CommandException("The scheduled messages: " + Explanation.of(e), e);
    }
  }

  private static Map<String, @Nullable Object> fields(Waiting waiting) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("id", waiting.message().id());
    fields.put("dueAt", waiting.dueAt().toString());
    fields.put("destination", waiting.message().destination());
    fields.put("key", waiting.message().key());
    fields.put("type", waiting.message().type());
    fields.put("contentType", waiting.message().contentType());
    fields.put("bytes", waiting.size());
    fields.put("createdAt", waiting.message().createdAt().toString());
    fields.put(
        "expiresAt",
        waiting.message().expiresAt() == null ? null : waiting.message().expiresAt().toString());
    return fields;
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
