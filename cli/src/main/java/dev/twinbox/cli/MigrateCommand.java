package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.migrations.MigrationResult;
import dev.twinbox.migrations.Migrations;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox migrate}. */
@Command(
    name = "migrate",
    mixinStandardHelpOptions = true,
    description =
        "Creates or upgrades Twinbox's tables, in a schema and with a history of their own. The"
            + " role must be allowed to create the schema.")
final class MigrateCommand implements Runnable {
  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(
      names = "--print",
      description =
          "Print everything as one SQL script, for migrations of your own, and change nothing.")
  private boolean print;

  @Option(
      names = "--ring-chunk",
      paramLabel = "ROWS",
      defaultValue = "100000",
      description =
          "Messages that go to one leaf of the outbox before the next is used, default"
              + " ${DEFAULT-VALUE}. Counts when the tables are first created.")
  private long chunk = 100_000;

  @Option(
      names = "--ring-leaves",
      paramLabel = "N",
      defaultValue = "8",
      description = "Leaves of the outbox, 2 to 256, default ${DEFAULT-VALUE}. Likewise.")
  private int leaves = 8;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    Settings settings = connection.settings();
    Migrations migrations = migrations(settings);
    PrintWriter out = spec.commandLine().getOut();
    if (print) {
      out.print(migrations.sql());
    } else {
      try (HikariDataSource database = Database.connect(settings, 2)) {
        MigrationResult result = migrations.applyTo(database);
        out.println(
            result.applied() == 0
                ? "The schema %s is up to date, at version %s."
                    .formatted(result.schema(), result.version())
                : "The schema %s is now at version %s; %s migrations were applied."
                    .formatted(result.schema(), result.version(), result.applied()));
      }
    }
    out.flush();
  }

  private Migrations migrations(Settings settings) {
    try {
      return Migrations.defaults().schema(settings.schema()).ring(chunk, leaves);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), Explanation.of(e), e);
    }
  }
}
