package dev.twinbox.relay.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.zaxxer.hikari.HikariDataSource;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.util.Objects;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code twinbox status}. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    description =
        "Shows who relays, what waits, and what was given up. Reads little, however much waits:"
            + " above 10,000 in a lane the number is an estimate.")
final class StatusCommand implements Runnable {
  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 1)) {
      Status status = new StatusReader(database, settings.schema()).read();
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        out.println(
            JsonMapper.builder()
                .build()
                .writerWithDefaultPrettyPrinter()
                .writeValueAsString(status));
      } else {
        print(status, out);
      }
      out.flush();
    } catch (SQLException | JsonProcessingException e) {
      throw new CommandException("The status cannot be read: " + Explanation.of(e), e);
    }
  }

  private static void print(Status status, PrintWriter out) {
    out.println(
        "Schema %s, version %d, at %s"
            .formatted(status.schema(), status.schemaVersion(), status.time()));
    String restored = status.restored();
    if (restored != null) {
      out.println(
          "This database was restored or moved: %s. A relay will stamp its messages anew; nothing is published before."
              .formatted(restored));
    }
    TextTable relays = new TextTable("RELAY", "STARTED", "ALIVE UNTIL", "CLOCK AHEAD");
    status
        .relays()
        .forEach(
            r -> relays.row(r.name(), r.startedAt(), r.aliveUntil(), r.clockAheadSeconds() + " s"));
    relays.print(out, "No relay is running.");
    TextTable brokers = new TextTable("BROKER", "WAITING", "OLDEST");
    status
        .brokers()
        .forEach(
            b ->
                brokers.row(
                    b.broker(),
                    (b.waitingIsEstimated() ? "about " : "") + b.waiting(),
                    b.oldestWaitingSeconds() == null ? "-" : b.oldestWaitingSeconds() + " s"));
    brokers.print(out, "No broker has lanes.");
    TextTable lanes =
        new TextTable(
            "LANE", "BROKER", "OWNER", "LEASE", "EPOCH", "WINDOW", "CURSOR", "LAST SETTLED");
    status
        .lanes()
        .forEach(
            l ->
                lanes.row(
                    l.lane(),
                    l.broker(),
                    Objects.requireNonNullElse(l.owner(), "-"),
                    l.leaseSecondsLeft() == null ? "-" : l.leaseSecondsLeft() + " s",
                    l.epoch(),
                    l.window() + (l.open() ? " open" : ""),
                    l.open() ? l.cursor() + " of " + l.ceiling() : "-",
                    Objects.requireNonNullElse(l.lastSettledAt(), "-")));
    lanes.print(out, "No lanes.");
    TextTable parked = new TextTable("PARKED FOR", "REASON", "COUNT", "OLDEST");
    status
        .parked()
        .forEach(p -> parked.row(p.destination(), p.reason(), p.count(), p.oldestSeconds() + " s"));
    parked.print(out, "Nothing is parked.");
    TextTable dead = new TextTable("DEAD LETTERS TO", "REASON", "COUNT");
    status.deadLetters().forEach(d -> dead.row(d.destination(), d.reason(), d.count()));
    dead.print(out, "No dead letters.");
    out.println();
    if (status.blockedKeys() > 0) {
      out.println("Blocked keys: %d".formatted(status.blockedKeys()));
    }
    out.println(
        status.scheduled() == 0
            ? "No scheduled messages."
            : "Scheduled messages: "
                + status.scheduled()
                + (status.scheduled() < 100_000 ? "" : " or more"));
  }
}
