package dev.twinbox.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.Broker;
import dev.twinbox.broker.Destination;
import dev.twinbox.broker.doctor.CommonCheck;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.inbox.doctor.InboxSide;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.doctor.Doctor;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox doctor}. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Looks for settings that can lose messages: in the database, in each broker that is"
          + " configured, at the destinations that the tables know, and at those that are named."
          + " Changes nothing.",
      "Exit code 0: all is well. 1: warnings, or something that could not be read. 2: dangers."
    },
    modelTransformer = BrokerOptions.class)
final class DoctorCommand implements Callable<Integer> {
  @Mixin private ConnectionOptions connection = new ConnectionOptions();
  @Mixin private ConsumerOptions consumers = new ConsumerOptions();

  @Option(
      names = "--destination",
      paramLabel = "DESTINATION",
      description =
          "Look at this destination too, as in kafka:orders or rabbitmq:shop/order.placed;"
              + " repeatable.")
  private List<String> destinations = new ArrayList<>();

  @Option(
      names = "--inbox",
      description =
          "Look at the inbox's tables, and at what the role may do with them, instead of the"
              + " outbox's. With the role of a consumer.")
  private boolean inbox;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    consumers.check();
    destinations.forEach(this::check);
    Settings settings = connection.settings(BrokerOptions.given(spec));
    Diagnosis diagnosis = examine(settings);
    PrintWriter out = spec.commandLine().getOut();
    out.print(print(diagnosis));
    out.flush();
    return diagnosis.exitCode();
  }

  private String print(Diagnosis diagnosis) {
    try {
      return json ? DoctorReport.json(diagnosis) : DoctorReport.text(diagnosis);
    } catch (JsonProcessingException e) {
      throw new CommandException("The findings cannot be printed: " + Explanation.of(e), e);
    }
  }

  private Diagnosis examine(Settings settings) {
    Doctor doctor = new Doctor();
    lookAtDatabase(doctor, settings);
    destinations.forEach(doctor::destination);
    consumers
        .consumed(settings)
        .forEach(each -> doctor.consumed(each.broker(), each.groupOrQueue(), each.topics()));
    List<Broker> brokers = new ArrayList<>();
    try {
      settings.brokers().forEach((name, properties) -> connect(doctor, name, properties, brokers));
      return doctor.examine(brokers);
    } finally {
      brokers.forEach(Broker::close);
    }
  }

  private void lookAtDatabase(Doctor doctor, Settings settings) {
    boolean somethingElse = !destinations.isEmpty() || consumers.areGiven();
    if (settings.get(Settings.DB_URL) == null && somethingElse) {
      doctor.found(
          Finding.unknown(
              CommonCheck.DATABASE_UNREACHABLE, "database", "not configured", "Use --db-url."));
      return;
    }
    try (HikariDataSource database = Database.connect(settings, 1)) {
      Tables tables = Tables.in(settings.schema());
      if (inbox) {
        InboxSide side = InboxSide.examine(database, tables.quotedSchema());
        side.findings().forEach(doctor::found);
        side.horizon().ifPresent(doctor::horizon);
      } else {
        doctor.outbox(database, tables);
      }
    } catch (CommandException e) {
      if (settings.get(Settings.DB_URL) == null) {
        throw e;
      }
      doctor.found(
          Finding.unknown(
              CommonCheck.DATABASE_UNREACHABLE,
              "database",
              Explanation.line(e),
              "See that the address is right and the server runs."));
    }
  }

  /** Settings that the relay would refuse are a finding like any other. */
  private static void connect(
      Doctor doctor, String name, Map<String, String> properties, List<Broker> brokers) {
    try {
      brokers.add(Brokers.make(name, () -> properties));
    } catch (IllegalArgumentException e) {
      doctor.found(
          Finding.danger(
              CommonCheck.CLIENT_SETTING,
              name,
              Explanation.line(e),
              "Remove or change the setting."));
    }
  }

  private void check(String destination) {
    try {
      var unused = Destination.parse(destination);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--destination: " + Explanation.line(e), e);
    }
  }
}
