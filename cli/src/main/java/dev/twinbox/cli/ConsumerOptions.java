package dev.twinbox.cli;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.BrokerKind;
import dev.twinbox.broker.BrokerKind.Consumption;
import dev.twinbox.broker.BrokerKinds;
import dev.twinbox.broker.SourceLag;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which consumers to look at. */
final class ConsumerOptions {
  @Option(
      names = "--group",
      paramLabel = "[BROKER:]GROUP",
      description = "Look at this consumer group in the topics named by --topic.")
  private @Nullable String group;

  @Option(
      names = "--topic",
      paramLabel = "TOPIC",
      description = "A topic that the group reads; repeatable.")
  private List<String> topics = new ArrayList<>();

  @Option(
      names = "--queue",
      paramLabel = "[BROKER:]QUEUE",
      description = "Look at this queue; repeatable.")
  private List<String> queues = new ArrayList<>();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  /**
   * A consumer.
   *
   * @param topics that a group reads; empty for a queue
   */
  record Consumed(String broker, String groupOrQueue, List<String> topics) {}

  void check() {
    if ((group == null) != topics.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "--group and --topic belong together: name the group and its topics.");
    }
  }

  boolean areGiven() {
    return group != null || !queues.isEmpty();
  }

  /**
   * All that are named. What names no broker is at the one that is configured.
   *
   * @throws CommandException where that is not clear
   */
  List<Consumed> consumed(Settings settings) {
    List<Consumed> all = new ArrayList<>();
    if (group != null) {
      all.add(at("--group", group, Consumption.TOPICS, topics, settings));
    }
    for (String queue : queues) {
      all.add(at("--queue", queue, Consumption.QUEUES, List.of(), settings));
    }
    return all;
  }

  /** How far they are behind. */
  List<SourceLag> lags(Settings settings) {
    List<SourceLag> lags = new ArrayList<>();
    for (Consumed each : consumed(settings)) {
      Map<String, String> properties = settings.brokers().get(each.broker());
      if (properties == null) {
        throw notConfigured(
            "The broker %s is not configured.".formatted(each.broker()),
            BrokerKinds.of(each.broker()).stream().toList());
      }
      try (Broker broker = Brokers.make(each.broker(), () -> properties)) {
        lags.addAll(broker.lag(each.groupOrQueue(), each.topics()));
      }
    }
    return lags;
  }

  private static Consumed at(
      String option, String named, Consumption how, List<String> topics, Settings settings) {
    int colon = named.indexOf(':');
    if (colon > 0 && colon < named.length() - 1 && Brokers.isName(named.substring(0, colon))) {
      String broker = named.substring(0, colon);
      if (!is(broker, how)) {
        throw new CommandException(
            "%s is %s; %s has no consumer %s. Use %s."
                .formatted(
                    option,
                    named,
                    broker,
                    how == Consumption.TOPICS ? "groups" : "queues",
                    how == Consumption.TOPICS ? "--queue" : "--group and --topic"));
      }
      return new Consumed(broker, named.substring(colon + 1), topics);
    }
    return new Consumed(only(option, named, how, settings), named, topics);
  }

  /** The broker without a name, or the only one with a name. */
  private static String only(String option, String named, Consumption how, Settings settings) {
    List<String> all = settings.brokers().keySet().stream().filter(b -> is(b, how)).toList();
    List<String> unnamed = all.stream().filter(broker -> broker.indexOf('@') < 0).toList();
    List<String> possible = unnamed.isEmpty() ? all : unnamed;
    if (possible.isEmpty()) {
      List<BrokerKind> kinds =
          BrokerKinds.all().stream().filter(kind -> kind.consumption() == how).toList();
      throw notConfigured(
          "%s is %s, and the broker %s is not configured."
              .formatted(
                  option,
                  named,
                  kinds.stream().map(BrokerKind::prefix).collect(Collectors.joining(" or "))),
          kinds);
    }
    if (possible.size() > 1) {
      throw new CommandException(
          "%s is %s; say at which broker it is, as in %s:%s or %s:%s."
              .formatted(option, named, possible.get(0), named, possible.get(1), named));
    }
    return possible.get(0);
  }

  private static boolean is(String broker, Consumption how) {
    return BrokerKinds.of(broker).filter(kind -> kind.consumption() == how).isPresent();
  }

  private static CommandException notConfigured(String what, List<BrokerKind> kinds) {
    return new CommandException(
        "%s Set %s in the --config FILE, or %s."
            .formatted(
                what,
                Brokers.addresses(kinds, Brokers::key, " or "),
                Brokers.addresses(kinds, Brokers::variable, " or ")));
  }
}
