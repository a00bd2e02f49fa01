package dev.twinbox.cli;

import dev.twinbox.relay.deadletter.BeyondHorizonException;
import dev.twinbox.relay.deadletter.RedriveOptions;
import dev.twinbox.relay.store.DeadLetterFilter;
import dev.twinbox.relay.store.DeadLetterTable.AuditLine;
import dev.twinbox.relay.store.DeadLetterTable.BlockedKey;
import dev.twinbox.relay.store.DeadLetterTable.DeadLetter;
import dev.twinbox.relay.store.DeadLetterTable.Group;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox dead-letters}. */
@Command(
    name = "dead-letters",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "Messages that no broker would take: look at them, send them again, put them aside, bring"
            + " them back. Each change is recorded in the audit.")
final class DeadLettersCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "Name one of list, show, group, blocked, redrive, discard, restore and audit.");
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Lists dead letters, oldest first.")
  void list(
      @Mixin DeadLetterOptions options,
      @Option(names = "--discarded", description = "Also those that were put aside.")
          boolean discarded,
      @Option(
              names = "--beyond",
              paramLabel = "N",
              defaultValue = "0",
              description = "Only numbers beyond this one, to page on.")
          long beyond,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "50",
              description = "At most so many, default ${DEFAULT-VALUE}.")
          int limit,
      @Option(names = "--json", description = "Print JSON.") boolean json) {
    checkLimit(limit);
    List<DeadLetter> found =
        options.in(letters -> letters.list(options.filter(), discarded, beyond, limit));
    if (json) {
      print(found.stream().map(DeadLettersCommand::fields).toList());
      return;
    }
    TextTable table =
        new TextTable(
            "NUMBER", "GIVEN UP", "DESTINATION", "KEY", "TYPE", "BYTES", "REASON", "ATTEMPTS");
    found.forEach(
        each ->
            table.row(
                each.number(),
                each.deadAt(),
                each.message().destination(),
                Objects.requireNonNullElse(each.message().key(), "-"),
                each.message().type(),
                each.size(),
                each.reason()
                    + (each.blocksKey() ? ", blocks its key" : "")
                    + (each.discardedAt() == null ? "" : ", discarded"),
                each.attempts()));
    table.print(out(), "No dead letters match.");
    out().flush();
  }

  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      description = "Shows one dead letter with its headers.")
  void show(
      @Mixin ConnectionOptions connection,
      @Option(names = "--number", paramLabel = "N", required = true, description = "Which one.")
          long number,
      @Option(
              names = "--payload",
              description = "With its payload: as text when it is UTF-8, else in base 64.")
          boolean payload) {
    DeadLetter letter =
        DeadLetterOptions.in(connection, letters -> letters.find(number))
            .orElseThrow(
                () -> new CommandException("There is no dead letter %s.".formatted(number)));
    Map<String, @Nullable Object> fields = fields(letter);
    fields.put("headers", letter.message().headers());
    if (payload) {
      fields.put("payload", Payloads.readable(letter.message().payload()));
    }
    print(fields);
  }

  @Command(
      name = "group",
      mixinStandardHelpOptions = true,
      description = "Counts dead letters by destination and cause.")
  void group(
      @Mixin DeadLetterOptions options,
      @Option(names = "--json", description = "Print JSON.") boolean json) {
    List<Group> groups = options.in(letters -> letters.groups(options.filter()));
    if (json) {
      print(groups.stream().map(DeadLettersCommand::fields).toList());
      return;
    }
    TextTable table =
        new TextTable("DESTINATION", "REASON", "COUNT", "OLDEST", "NEWEST", "LAST ERROR");
    groups.forEach(
        each ->
            table.row(
                each.destination(),
                each.reason(),
                each.count(),
                each.oldest(),
                each.newest(),
                Objects.requireNonNullElse(each.example(), "-")));
    table.print(out(), "No dead letters match.");
    out().flush();
  }

  @Command(
      name = "blocked",
      mixinStandardHelpOptions = true,
      description =
          "Lists the keys whose messages wait behind a dead letter. Redrive or discard that one,"
              + " and they go on in order.")
  void blocked(
      @Mixin ConnectionOptions connection,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "50",
              description = "At most so many, default ${DEFAULT-VALUE}.")
          int limit,
      @Option(names = "--json", description = "Print JSON.") boolean json) {
    checkLimit(limit);
    List<BlockedKey> blocked =
        DeadLetterOptions.in(connection, letters -> letters.blockedKeys(limit));
    if (json) {
      print(blocked.stream().map(DeadLettersCommand::fields).toList());
      return;
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
  }

  @Command(
      name = "redrive",
      mixinStandardHelpOptions = true,
      description = {
        "Sends dead letters again, with the same ids: consumers that have one ignore it. Takes what"
            + " matches when it starts, and nothing that is given up later; run again after an"
            + " interruption, it does the rest.",
        "One that blocks its key goes before the messages behind it, any other behind what its key"
            + " has by now."
      })
  void redrive(
      @Mixin DeadLetterOptions options,
      @Mixin DeadLetterAct act,
      @Option(
              names = "--rate",
              paramLabel = "N",
              description = "At most so many messages a second.")
          @Nullable Integer rate,
      @Option(
              names = "--ttl",
              paramLabel = "SECONDS",
              description =
                  "They expire anew, so many seconds from now. Without it an expiry that is over is"
                      + " left out.")
          @Nullable Long ttl,
      @Option(
              names = "--beyond-horizon",
              description = "Also those that are older than the consumers' dedup horizon.")
          boolean beyondHorizon) {
    DeadLetterFilter filter = options.filter();
    act.checkDeliberate(filter);
    RedriveOptions how = how(act, rate, ttl, beyondHorizon);
    long sent =
        options.in(
            letters -> {
              act.checkConfirmed(letters.selected(filter).count(), "redrive");
              try {
                return letters.redrive(filter, how, act.progress());
              } catch (BeyondHorizonException e) {
                throw new CommandException(e.getMessage() + " Say so with --beyond-horizon.", e);
              }
            });
    done("%s messages are on their way again.", sent);
  }

  private RedriveOptions how(
      DeadLetterAct act, @Nullable Integer rate, @Nullable Long ttl, boolean beyondHorizon) {
    try {
      return new RedriveOptions(
          act.by(), rate, ttl == null ? null : Duration.ofSeconds(ttl), beyondHorizon);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), Explanation.of(e), e);
    }
  }

  @Command(
      name = "discard",
      mixinStandardHelpOptions = true,
      description =
          "Puts dead letters aside. They are kept and can be restored; keys that they block are"
              + " free.")
  void discard(@Mixin DeadLetterOptions options, @Mixin DeadLetterAct act) {
    DeadLetterFilter filter = options.filter();
    act.checkDeliberate(filter);
    long discarded =
        options.in(
            letters -> {
              act.checkConfirmed(letters.selected(filter).count(), "discard");
              return letters.discard(filter, act.by(), act.progress());
            });
    done("%s messages are put aside.", discarded);
  }

  @Command(
      name = "restore",
      mixinStandardHelpOptions = true,
      description = "Brings back dead letters that were put aside.")
  void restore(@Mixin DeadLetterOptions options, @Mixin DeadLetterAct act) {
    DeadLetterFilter filter = options.filter();
    act.checkDeliberate(filter);
    long restored =
        options.in(
            letters -> {
              act.checkConfirmed(letters.selectedDiscarded(filter).count(), "restore");
              return letters.restore(filter, act.by(), act.progress());
            });
    done("%s messages are dead letters again.", restored);
  }

  @Command(
      name = "audit",
      mixinStandardHelpOptions = true,
      description = "Shows who did what, newest first.")
  void audit(
      @Mixin ConnectionOptions connection,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "50",
              description = "At most so many lines, default ${DEFAULT-VALUE}.")
          int limit,
      @Option(names = "--json", description = "Print JSON.") boolean json) {
    checkLimit(limit);
    List<AuditLine> lines = DeadLetterOptions.in(connection, letters -> letters.audit(limit));
    if (json) {
      print(lines.stream().map(DeadLettersCommand::fields).toList());
      return;
    }
    TextTable table = new TextTable("TIME", "BY", "ACTION", "SELECTION", "MESSAGES");
    lines.forEach(
        each -> table.row(each.at(), each.by(), each.action(), each.selection(), each.affected()));
    table.print(out(), "Nobody has done anything yet.");
    out().flush();
  }

  private static Map<String, @Nullable Object> fields(DeadLetter letter) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("number", letter.number());
    fields.put("id", letter.message().id());
    fields.put("destination", letter.message().destination());
    fields.put("key", letter.message().key());
    fields.put("type", letter.message().type());
    fields.put("contentType", letter.message().contentType());
    fields.put("bytes", letter.size());
    fields.put("reason", letter.reason());
    fields.put("error", letter.error());
    fields.put("attempts", letter.attempts());
    fields.put("createdAt", letter.message().createdAt().toString());
    fields.put("expiresAt", text(letter.message().expiresAt()));
    fields.put("firstFailedAt", letter.firstFailedAt().toString());
    fields.put("deadAt", letter.deadAt().toString());
    fields.put("blocksKey", letter.blocksKey());
    fields.put("discardedAt", text(letter.discardedAt()));
    return fields;
  }

  private static Map<String, @Nullable Object> fields(Group group) {
    Map<String, @Nullable Object> fields = new LinkedHashMap<>();
    fields.put("destination", group.destination());
    fields.put("reason", group.reason());
    fields.put("count", group.count());
    fields.put("oldest", group.oldest().toString());
    fields.put("newest", group.newest().toString());
    fields.put("lastError", group.example());
    return fields;
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

  private static Map<String, Object> fields(AuditLine line) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("at", line.at().toString());
    fields.put("act", line.act());
    fields.put("by", line.by());
    fields.put("action", line.action());
    fields.put("selection", line.selection());
    fields.put("messages", line.affected());
    return fields;
  }

  private static @Nullable String text(@Nullable Object value) {
    return value == null ? null : value.toString();
  }

  private void checkLimit(int limit) {
    if (limit < 1 || limit > 10_000) {
      throw new ParameterException(
          spec.commandLine(), "--limit is %s; choose 1 to 10000.".formatted(limit));
    }
  }

  private void done(String sentence, long count) {
    out().println(sentence.formatted(count));
    out().flush();
  }

  private void print(Object value) {
    Json.print(out(), value);
  }

  private PrintWriter out() {
    return spec.commandLine().getOut();
  }
}
