package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.migrations.Migrations;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import javax.sql.DataSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox grant}. */
@Command(
    name = "grant",
    mixinStandardHelpOptions = true,
    description =
        "Gives existing roles the least that they need. Connect as the owner of Twinbox's tables;"
            + " repeat it after a migration.")
final class GrantCommand implements Runnable {
  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(names = "--producer", paramLabel = "ROLE", description = "Role that may enqueue.")
  private List<String> producers = new ArrayList<>();

  @Option(names = "--relay", paramLabel = "ROLE", description = "Role that may run the relay.")
  private List<String> relays = new ArrayList<>();

  @Option(
      names = "--consumer",
      paramLabel = "ROLE",
      description = "Role that may consume by the inbox.")
  private List<String> consumers = new ArrayList<>();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    if (producers.isEmpty() && relays.isEmpty() && consumers.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(), "Name a role: --producer ROLE, --relay ROLE or --consumer ROLE.");
    }
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 2)) {
      Migrations migrations = Migrations.defaults().schema(settings.schema());
      grant(database, producers, "enqueue", migrations::grantProducer);
      grant(database, relays, "run the relay", migrations::grantRelay);
      grant(database, consumers, "consume", migrations::grantConsumer);
    }
  }

  private void grant(
      DataSource database,
      List<String> roles,
      String what,
      BiConsumer<DataSource, String> granting) {
    PrintWriter out = spec.commandLine().getOut();
    for (String role : roles) {
      granting.accept(database, role);
      out.println("The role %s may %s.".formatted(role, what));
      out.flush();
    }
  }
}
