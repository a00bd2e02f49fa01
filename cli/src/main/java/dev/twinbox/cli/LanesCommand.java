package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.LaneChange;
import dev.twinbox.relay.store.LaneChange.BrokerLanes;
import dev.twinbox.relay.store.LaneChange.Changed;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox lanes}. */
@Command(
    name = "lanes",
    mixinStandardHelpOptions = true,
    description = {
      "Shows how many lanes each broker has, or changes that.",
      "The order of each key is kept: the former lanes are drained to their end before the new ones"
          + " are begun. Relays take up the change by themselves. Connect as the owner of Twinbox's"
          + " tables; producers are held off for moments."
    })
final class LanesCommand implements Runnable {
  /** How long producers may be held up behind one attempt. */
  private static final Duration ATTEMPT = Duration.ofMillis(500);

  private static final Duration BETWEEN_ATTEMPTS = Duration.ofSeconds(1);

  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(names = "--broker", paramLabel = "BROKER", description = "As in kafka, or kafka@eu.")
  private @Nullable String broker;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "How many lanes it shall have; 1 to " + LaneChange.MOST_LANES + ".")
  private @Nullable Integer count;

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it, for the audit; default is the user of this machine.")
  private String by = System.getProperty("user.name", "unknown");

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      description =
          "For how long to try while transactions that have enqueued stay open; default"
              + " ${DEFAULT-VALUE}.")
  private int waitSeconds = 60;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 1)) {
      LaneChange lanes = new LaneChange(database, Tables.in(settings.schema()));
      Integer wanted = count;
      if (wanted == null) {
        list(lanes);
      } else {
        change(lanes, wanted);
      }
    } catch (SQLException e) {
      throw new CommandException("The lanes: " + Explanation.of(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("Interrupted. Nothing was changed.", e);
    }
  }

  private void list(LaneChange lanes) throws SQLException {
    TextTable table = new TextTable("BROKER", "LANES", "NUMBERS", "STILL DRAINED BEFORE THEM");
    for (BrokerLanes each : lanes.list()) {
      if (broker == null || broker.equals(each.broker())) {
        table.row(
            each.broker(),
            each.lanes(),
            "%s to %s".formatted(each.first(), each.last()),
            each.closing().isEmpty() ? "-" : each.closing());
      }
    }
    PrintWriter out = spec.commandLine().getOut();
    table.print(out, "There is no such broker.");
    out.flush();
  }

  private void change(LaneChange lanes, int wanted) throws SQLException, InterruptedException {
    String name = broker;
    if (name == null) {
      throw new ParameterException(
          spec.commandLine(), "--count changes one broker's lanes: name it with --broker.");
    }
    if (wanted < 1 || wanted > LaneChange.MOST_LANES) {
      throw new ParameterException(
          spec.commandLine(),
          "--count is %s; choose 1 to %s.".formatted(wanted, LaneChange.MOST_LANES));
    }
    PrintWriter out = spec.commandLine().getOut();
    boolean same =
        lanes.list().stream()
            .anyMatch(each -> each.broker().equals(name) && each.lanes() == wanted);
    if (same) {
      out.println("%s has %s lanes already. Nothing was changed.".formatted(name, wanted));
      out.flush();
      return;
    }
    Changed changed = attempt(lanes, name, wanted);
    out.println(
        "%s has %s lanes now, %s to %s. Lanes %s to %s are drained first; producers were held off for at most %s ms."
            .formatted(
                name,
                wanted,
                changed.after().first(),
                changed.after().last(),
                changed.before().first(),
                changed.before().last(),
                Math.max(1, changed.heldOff().toMillis())));
    out.flush();
  }

  private Changed attempt(LaneChange lanes, String name, int wanted)
      throws SQLException, InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(waitSeconds).toNanos();
    PrintWriter err = spec.commandLine().getErr();
    while (true) {
      Optional<Changed> changed;
      try {
        changed = lanes.run(name, wanted, by, ATTEMPT);
      } catch (IllegalArgumentException e) {
        throw new CommandException(String.valueOf(e.getMessage()), e);
      }
      if (changed.isPresent()) {
        return changed.get();
      }
      if (System.nanoTime() - end >= 0) {
        throw new CommandException(
            "For %s s there was always an open transaction that has enqueued, or another use of the outbox. Nothing was changed: end it (see twinbox status), or raise --wait."
                .formatted(waitSeconds));
      }
      err.println("The outbox is in use by an open transaction; trying again…");
      err.flush();
      Thread.sleep(BETWEEN_ATTEMPTS.toMillis());
    }
  }
}
