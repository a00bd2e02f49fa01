package dev.twinbox.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.Broker;
import dev.twinbox.broker.doctor.Check;
import dev.twinbox.broker.doctor.Diagnosis;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.inbox.doctor.InboxSide;
import dev.twinbox.outbox.Destination;
import dev.twinbox.outbox.InvalidMessageException;
import dev.twinbox.relay.doctor.Doctor;
import dev.twinbox.relay.store.Tables;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
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
    })
final class DoctorCommand implements Callable<Integer> {
  private static final Pattern AT_BROKER =
      Pattern.compile("((?:kafka|rabbitmq)(?:@[a-z0-9][a-z0-9-]{0,31})?):(.+)");

  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(
      names = "--kafka-bootstrap-servers",
      paramLabel = "HOST:PORT,...",
      description = "Kafka's addresses (TWINBOX_KAFKA_BOOTSTRAP_SERVERS).")
  private @Nullable String kafka;

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

  @Option(
      names = "--group",
      paramLabel = "[BROKER:]GROUP",
      description = "Look at this consumer group's offsets in the topics named by --topic.")
  private @Nullable String group;

  @Option(
      names = "--topic",
      paramLabel = "TOPIC",
      description = "A topic that the group reads; repeatable.")
  private List<String> topics = new ArrayList<>();

  @Option(
      names = "--queue",
      paramLabel = "[BROKER:]QUEUE",
      description = "Look at this RabbitMQ queue as its consumer; repeatable.")
  private List<String> queues = new ArrayList<>();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  private @Nullable String rabbit;
  private @Nullable String management;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--rabbitmq-uri",
      paramLabel = "URI",
      description =
          "RabbitMQ's address without a password, amqp://host:port/vhost; with one in"
              + " TWINBOX_RABBITMQ_URI or the file.")
  void rabbit(String value) {
    rabbit = withoutPassword("--rabbitmq-uri", "rabbitmq.uri", value);
  }

  @Option(
      names = "--rabbitmq-management-uri",
      paramLabel = "URI",
      description =
          "Address of RabbitMQ's management plugin without a password, http://host:15672; with one"
              + " in TWINBOX_RABBITMQ_MANAGEMENT_URI or the file. Without one, the credentials of"
              + " rabbitmq.uri are used.")
  void management(String value) {
    management = withoutPassword("--rabbitmq-management-uri", "rabbitmq.management.uri", value);
  }

  @Override
  public Integer call() {
    if ((group == null) != topics.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "--group and --topic belong together: name the group and its topics.");
    }
    destinations.forEach(this::check);
    Map<String, String> flags = new java.util.HashMap<>();
    ConnectionOptions.put(flags, "kafka.bootstrap.servers", kafka);
    ConnectionOptions.put(flags, "rabbitmq.uri", rabbit);
    ConnectionOptions.put(flags, "rabbitmq.management.uri", management);
    Settings settings = connection.settings(flags);
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
    consumers(doctor);
    List<Broker> brokers = new ArrayList<>();
    try {
      settings.brokers().forEach((name, properties) -> connect(doctor, name, properties, brokers));
      return doctor.examine(brokers);
    } finally {
      brokers.forEach(Broker::close);
    }
  }

  private void lookAtDatabase(Doctor doctor, Settings settings) {
    boolean somethingElse = !destinations.isEmpty() || group != null || !queues.isEmpty();
    if (settings.get(Settings.DB_URL) == null && somethingElse) {
      doctor.found(
          Finding.unknown(
              Check.DATABASE_UNREACHABLE, "database", "not configured", "Use --db-url."));
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
              Check.DATABASE_UNREACHABLE,
              "database",
              Explanation.line(e),
              "See that the address is right and the server runs."));
    }
  }

  private void consumers(Doctor doctor) {
    String named = group;
    if (named != null) {
      Matcher at = AT_BROKER.matcher(named);
      doctor.group(
          at.matches() ? at.group(1) : "kafka", at.matches() ? at.group(2) : named, topics);
    }
    for (String queue : queues) {
      Matcher at = AT_BROKER.matcher(queue);
      doctor.queue(at.matches() ? at.group(1) : "rabbitmq", at.matches() ? at.group(2) : queue);
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
              Check.CLIENT_SETTING, name, Explanation.line(e), "Remove or change the setting."));
    }
  }

  private void check(String destination) {
    try {
      var unused = Destination.parse(destination);
    } catch (InvalidMessageException e) {
      throw new ParameterException(spec.commandLine(), "--destination: " + Explanation.line(e), e);
    }
  }

  private String withoutPassword(String option, String setting, String value) {
    if (Secrets.areIn(value)) {
      throw new ParameterException(
          spec.commandLine(),
          option
              + ": a password is not accepted on the command line, where other users of this"
              + " machine can read it. Use the environment, or "
              + setting
              + " in a --config FILE.");
    }
    return value;
  }
}
