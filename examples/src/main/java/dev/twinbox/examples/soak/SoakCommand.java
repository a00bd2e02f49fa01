package dev.twinbox.examples.soak;

import dev.twinbox.cli.CommandException;
import dev.twinbox.examples.common.ReportFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox soak}: options in, exit code out. */
@Command(
    name = "soak",
    mixinStandardHelpOptions = true,
    description = {
      "Lets producers, relays and consumers work as processes of their own while everything around"
          + " them, and they themselves, are killed, frozen and cut off; then counts what was"
          + " committed, published and applied. Starts PostgreSQL and the broker itself and stops"
          + " them at the end.",
      "Exit code: 0 when nothing is lost, extra, doubled, turned round or unexplained, otherwise 1."
    })
public final class SoakCommand implements Callable<Integer> {
  private static final long MOST_MESSAGES = 10_000_000;
  private static final int USUAL_MESSAGES_A_SECOND = 200;
  private static final Pattern DURATION = Pattern.compile("([1-9][0-9]{0,5})(s|m|h)");

  @Option(
      names = "--broker",
      paramLabel = "BROKER",
      defaultValue = "kafka",
      description = "The broker: ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
  private SoakBrokerChoice broker = SoakBrokerChoice.KAFKA;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Decides which faults hit which process, in which order and for how long; default"
              + " ${DEFAULT-VALUE}.")
  private long seed = 1;

  @Option(
      names = "--duration",
      paramLabel = "60s|5m|1h",
      defaultValue = "60s",
      description =
          "For how long faults are injected, at least 5s, default ${DEFAULT-VALUE}. Starting, draining"
              + " and counting come on top.")
  private String duration = "60s";

  @Option(
      names = "--messages",
      paramLabel = "N",
      description =
          "How many to write meanwhile, 1 to 10000000, default 200 a second; more if faults take"
              + " longer.")
  private @Nullable Long messages;

  @Option(
      names = "--faults",
      paramLabel = "KIND,...",
      split = ",",
      description =
          "Only these kinds, or none; default all that fit the broker. With an unknown name, all"
              + " are listed.")
  private List<String> faults = new ArrayList<>();

  @Option(
      names = "--rabbitmq-nodes",
      paramLabel = "1|3",
      defaultValue = "1",
      description = "How many nodes RabbitMQ has, default ${DEFAULT-VALUE}.")
  private int rabbitNodes = 1;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write the figures into this file, as JSON.")
  private @Nullable Path report;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    SoakOptions options = options();
    if (report != null) {
      ReportFile.checkWritable(report);
    }
    PrintWriter out = spec.commandLine().getOut();
    try (Soak soak = Soak.start(options, out)) {
      SoakResult result;
      try {
        result = soak.run();
      } catch (RuntimeException e) {
        keep(soak, options, e.toString(), out);
        throw e;
      }
      result.print(out);
      if (report != null) {
        ReportFile.write(report, result.report());
      }
      if (!result.report().balanced()) {
        keep(soak, options, result.explanation(), out);
      }
      return result.report().balanced() ? 0 : 1;
    }
  }

  private SoakOptions options() {
    if (rabbitNodes != 1 && rabbitNodes != 3) {
      throw invalid("--rabbitmq-nodes is %s; choose 1 or 3.".formatted(rabbitNodes));
    }
    if (rabbitNodes != 1 && broker != SoakBrokerChoice.RABBITMQ) {
      throw invalid("--rabbitmq-nodes goes with --broker rabbitmq; Kafka always has 3 brokers.");
    }
    Duration time = time();
    long number = messages == null ? time.toSeconds() * USUAL_MESSAGES_A_SECOND : messages;
    if (number < 1 || number > MOST_MESSAGES) {
      throw invalid("--messages is %s; choose 1 to 10000000.".formatted(number));
    }
    return new SoakOptions(broker, seed, time, number, kinds(), rabbitNodes);
  }

  private Duration time() {
    Matcher matcher = DURATION.matcher(duration);
    if (!matcher.matches()) {
      throw invalid(
          "--duration is '%s'; write a whole number with its unit, as in 60s, 5m or 1h."
              .formatted(duration));
    }
    long number = Long.parseLong(matcher.group(1));
    Duration time =
        switch (matcher.group(2)) {
          case "h" -> Duration.ofHours(number);
          case "m" -> Duration.ofMinutes(number);
          default -> Duration.ofSeconds(number);
        };
    if (time.toSeconds() < 5 || time.toHours() > 24) {
      throw invalid("--duration is %s; choose 5s to 24h.".formatted(duration));
    }
    return time;
  }

  private List<FaultKind> kinds() {
    List<FaultKind> fitting = broker.faults();
    if (faults.isEmpty()) {
      return fitting;
    }
    if (faults.equals(List.of("none"))) {
      return List.of();
    }
    List<FaultKind> chosen = new ArrayList<>();
    for (String name : faults) {
      chosen.add(
          fitting.stream()
              .filter(kind -> kind.toString().equals(name))
              .findFirst()
              .orElseThrow(
                  () ->
                      invalid(
                          "--faults: there is no '%s' with %s. Choose none, or among %s."
                              .formatted(
                                  name,
                                  broker.title(),
                                  fitting.stream()
                                      .map(FaultKind::toString)
                                      .collect(Collectors.joining(", "))))));
    }
    return chosen.stream().distinct().toList();
  }

  private ParameterException invalid(String complaint) {
    return new ParameterException(spec.commandLine(), complaint);
  }

  private static void keep(Soak soak, SoakOptions options, String findings, PrintWriter out) {
    try {
      Path folder =
          Files.createTempDirectory(
              "twinbox-evidence-%s-%s-".formatted(options.broker(), options.seed()));
      soak.save(folder, findings);
      out.printf(Locale.ROOT, "%nThe evidence is kept in %s%n", folder);
      out.flush();
    } catch (IOException e) {
      throw new CommandException("The evidence could not be kept: " + e, e);
    }
  }
}
