package dev.twinbox.cli;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.SourceLag;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which consumers to look at, beside the outbox. */
final class LagOptions {
  private static final Pattern AT_BROKER =
      Pattern.compile("((?:kafka|rabbitmq)(?:@[a-z0-9][a-z0-9-]{0,31})?):(.+)");

  @Option(
      names = "--group",
      paramLabel = "[BROKER:]GROUP",
      description = "Show how far this consumer group is behind in the topics named by --topic.")
  private @Nullable String group;

  @Option(
      names = "--topic",
      paramLabel = "TOPIC",
      description = "A topic that the group reads; repeatable.")
  private List<String> topics = new ArrayList<>();

  @Option(
      names = "--queue",
      paramLabel = "[BROKER:]QUEUE",
      description = "Show how many messages are in this RabbitMQ queue; repeatable.")
  private List<String> queues = new ArrayList<>();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  void check() {
    if ((group == null) != topics.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "--group and --topic belong together: name the group and its topics.");
    }
  }

  List<SourceLag> read(Settings settings) {
    List<SourceLag> lags = new ArrayList<>();
    String named = group;
    if (named != null) {
      Matcher at = AT_BROKER.matcher(named);
      boolean isAt = at.matches();
      try (Broker broker = broker(settings, isAt ? at.group(1) : "kafka")) {
        if (!broker.name().startsWith("kafka")) {
          throw new CommandException(
              "--group is %s; only Kafka has consumer groups. Use --queue.".formatted(named));
        }
        lags.addAll(broker.lag(isAt ? at.group(2) : named, topics));
      }
    }
    for (String queue : queues) {
      Matcher at = AT_BROKER.matcher(queue);
      boolean isAt = at.matches();
      try (Broker broker = broker(settings, isAt ? at.group(1) : "rabbitmq")) {
        if (!broker.name().startsWith("rabbitmq")) {
          throw new CommandException(
              "--queue is %s; only RabbitMQ has queues. Use --group and --topic.".formatted(queue));
        }
        lags.addAll(broker.lag(isAt ? at.group(2) : queue, List.of()));
      }
    }
    return lags;
  }

  private static Broker broker(Settings settings, String name) {
    Map<String, String> properties = settings.brokers().get(name);
    if (properties == null) {
      throw new CommandException(
          "The broker %s is not configured. Set %s in the --config FILE, or TWINBOX_%s."
              .formatted(
                  name,
                  name.startsWith("kafka") ? name + ".bootstrap.servers" : name + ".uri",
                  name.startsWith("kafka") ? "KAFKA_BOOTSTRAP_SERVERS" : "RABBITMQ_URI"));
    }
    return Brokers.make(name, () -> properties);
  }
}
