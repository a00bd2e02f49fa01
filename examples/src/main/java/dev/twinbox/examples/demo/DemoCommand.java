package dev.twinbox.examples.demo;

import dev.twinbox.examples.common.ReportFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox demo}: options in, exit code out. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Sends orders from a shop's database through a broker to a customer's balance and counts"
          + " whether each arrived exactly once. Starts PostgreSQL and the broker itself, on free"
          + " ports, and stops them at the end.",
      "Exit code: 0 when the tally balances, otherwise 1."
    })
public final class DemoCommand implements Callable<Integer> {
  private static final int MOST_MESSAGES = 10_000_000;

  @Option(
      names = "--messages",
      paramLabel = "N",
      defaultValue = "10000",
      description =
          "Orders to write, of which about 5 %% are rolled back: 1 to 10000000, default"
              + " ${DEFAULT-VALUE}. A million takes about 300 MB of memory.")
  private int messages = 10_000;

  @Option(
      names = "--broker",
      paramLabel = "BROKER",
      defaultValue = "kafka",
      description = "The broker in between: ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
  private DemoBrokerChoice broker = DemoBrokerChoice.KAFKA;

  @Option(
      names = "--inbox",
      paramLabel = "STORE",
      defaultValue = "postgresql",
      description =
          "Where the consumer's inbox and balances are: ${COMPLETION-CANDIDATES}; default"
              + " ${DEFAULT-VALUE}.")
  private DemoInboxChoice inbox = DemoInboxChoice.POSTGRESQL;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write the tally into this file, as JSON.")
  private @Nullable Path report;

  @Option(
      names = "--keep-running",
      description =
          "Keep the servers up and orders trickling after the tally, until Ctrl-C; says how to"
              + " connect.")
  private boolean keepRunning;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    if (messages < 1 || messages > MOST_MESSAGES) {
      throw new ParameterException(
          spec.commandLine(), "--messages is %s; choose 1 to 10000000.".formatted(messages));
    }
    if (report != null) {
      ReportFile.checkWritable(report);
    }
    PrintWriter out = spec.commandLine().getOut();
    try (Demo demo = Demo.start(broker, inbox, messages, out)) {
      DemoResult result = demo.run();
      result.print(out);
      if (report != null) {
        ReportFile.write(report, result.report());
      }
      if (keepRunning) {
        demo.keepRunning();
      }
      return result.report().balanced() ? 0 : 1;
    }
  }
}
