package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.relay.archive.Archive;
import dev.twinbox.relay.deadletter.BeyondHorizonException;
import dev.twinbox.relay.deadletter.RedriveOptions;
import dev.twinbox.relay.store.ArchiveTable.Filter;
import dev.twinbox.relay.store.ArchiveTable.Selected;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox replay}. */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    description = {
      "Publishes messages once more that were published before, with their own ids and in their old"
          + " order: from the archive (see 'twinbox retention'), and those published last.",
      "Consumers that have processed them ignore them; one that was registered later processes"
          + " them."
    })
final class ReplayCommand implements Runnable {
  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(
      names = "--destination",
      paramLabel = "DESTINATION",
      description = "Only those to this destination, as in kafka:orders.")
  private @Nullable String destination;

  @Option(names = "--key", paramLabel = "KEY", description = "Only those with this key.")
  private @Nullable String key;

  @Option(
      names = "--id",
      paramLabel = "ID",
      split = ",",
      description = "Only those with these message ids.")
  private List<UUID> ids = new ArrayList<>();

  @Option(names = "--all", description = "Mean everything that is kept.")
  private boolean all;

  @Option(
      names = "--beyond-position",
      paramLabel = "POSITION",
      description = "Go on behind this position, where another replay stopped.")
  private long beyond;

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who does it, for the audit; default is the user of this machine.")
  private String by = System.getProperty("user.name", "unknown");

  @Option(names = "--yes", description = "Do it, however many they are.")
  private boolean yes;

  @Option(names = "--count", paramLabel = "N", description = "Do it if they are exactly so many.")
  private @Nullable Long count;

  @Option(
      names = "--rate",
      paramLabel = "N",
      description = "At most so many messages a second; default is as fast as it goes.")
  private @Nullable Integer rate;

  @Option(
      names = "--ttl",
      paramLabel = "SECONDS",
      description =
          "They expire anew, so many seconds from now. Without it an expiry that is over is left"
              + " out.")
  private @Nullable Long ttl;

  @Option(
      names = "--beyond-horizon",
      description = "Also those that are older than the consumers' dedup horizon.")
  private boolean beyondHorizon;

  @Option(
      names = "--from",
      paramLabel = "TIME",
      converter = InstantConverter.class,
      description = "Only those enqueued then or later, as in 2026-11-22T07:00:00Z.")
  private @Nullable Instant from;

  @Option(
      names = "--to",
      paramLabel = "TIME",
      converter = InstantConverter.class,
      description = "Only those enqueued before then, as in 2026-11-22T08:00:00Z.")
  private @Nullable Instant to;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    Filter filter = new Filter(from, to, destination, key, ids.isEmpty() ? null : ids);
    if (filter.equals(new Filter(null, null, null, null, null)) && !all) {
      throw new ParameterException(
          spec.commandLine(), "Say which: --from, --to, --destination, --key, --id, or --all.");
    }
    RedriveOptions how = how();
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 1)) {
      replay(Archive.in(database, settings.schema()), filter, how);
    } catch (SQLException e) {
      throw new CommandException("The archive: " + Explanation.of(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("Interrupted. What was done by then stays done.", e);
    }
  }

  private RedriveOptions how() {
    try {
      return new RedriveOptions(
          by, rate, ttl == null ? null : Duration.ofSeconds(ttl), beyondHorizon);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), Explanation.of(e), e);
    }
  }

  private void replay(Archive archive, Filter filter, RedriveOptions how)
      throws SQLException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    if (!archive.isKept()) {
      err.println(
          "No archive is kept, so only what was published last can be replayed. 'twinbox retention"
              + " --archive 7d' keeps what is published from then on.");
      err.flush();
    }
    Selected selected = archive.selected(filter);
    checkConfirmed(selected.count());
    try {
      long sent =
          archive.replay(
              filter,
              beyond,
              how,
              (done, last) -> {
                err.println("%s of %s, up to position %s".formatted(done, selected.count(), last));
                err.flush();
              });
      out.println("%s messages are on their way again.".formatted(sent));
      out.flush();
    } catch (BeyondHorizonException e) {
      throw new CommandException(e.getMessage() + " Say so with --beyond-horizon.", e);
    }
  }

  private void checkConfirmed(long found) {
    Long expected = count;
    if (expected != null && expected != found) {
      throw new CommandException(
          "There are %s messages to replay, not %s. Nothing was done.".formatted(found, expected));
    }
    if (expected == null && !yes) {
      throw new CommandException(
          "This would replay %s messages. Nothing was done: repeat it with --count %s, or with --yes."
              .formatted(found, found));
    }
  }
}
