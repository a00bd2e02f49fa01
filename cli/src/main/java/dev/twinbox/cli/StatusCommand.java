package dev.twinbox.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.broker.SourceLag;
import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.StatusReader;
import dev.twinbox.relay.status.Thresholds;
import dev.twinbox.relay.status.Verdict;
import dev.twinbox.relay.status.Verdict.Cause;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code twinbox status}. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    exitCodeOnExecutionException = StatusCommand.UNREADABLE,
    description = {
      "Shows what waits, how fast it goes, who relays, what is in the way, and a verdict with its"
          + " causes. Reads little, however much waits: above 10,000 in a lane the numbers are"
          + " estimates. Changes nothing.",
      "With --group or --queue, also how far consumers are behind.",
      "Exit code 0: all is well. 1: a warning. 2: critical. 3: it could not be read."
    },
    modelTransformer = BrokerOptions.class)
final class StatusCommand implements Callable<Integer> {
  static final int UNREADABLE = 3;

  private static final String CLEAR = "\033[H\033[2J\033[3J";

  @Mixin private ConnectionOptions connection = new ConnectionOptions();
  @Mixin private ThresholdOptions thresholds = new ThresholdOptions();
  @Mixin private ConsumerOptions consumers = new ConsumerOptions();

  @Option(names = "--json", description = "Print JSON; with --watch, a line each time.")
  private boolean json;

  @Option(
      names = "--watch",
      arity = "0..1",
      fallbackValue = "2",
      paramLabel = "SECONDS",
      description =
          "Look again every so many seconds, 1 to 3600, default ${FALLBACK-VALUE}, until"
              + " interrupted.")
  private @Nullable Integer watch;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws InterruptedException {
    consumers.check();
    Thresholds limits = thresholds.thresholds();
    Integer every = watch;
    if (every != null && (every < 1 || every > 3600)) {
      throw new ParameterException(
          spec.commandLine(), "--watch is %s; choose 1 to 3600 seconds.".formatted(every));
    }
    Settings settings = connection.settings(BrokerOptions.given(spec));
    try (HikariDataSource database = Database.connect(settings, 1)) {
      StatusReader reader = StatusReader.in(database, settings.schema());
      if (every == null) {
        return look(reader, settings, limits);
      }
      return watch(reader, settings, limits, Duration.ofSeconds(every));
    } catch (SQLException e) {
      throw unreadable(e);
    }
  }

  private int look(StatusReader reader, Settings settings, Thresholds limits) throws SQLException {
    Status status = reader.read();
    List<SourceLag> lags = consumers.lags(settings);
    List<Cause> causes = new ArrayList<>(Verdict.of(status, limits).causes());
    lags.forEach(lag -> LagCauses.of(lag, limits).ifPresent(causes::add));
    Verdict verdict = Verdict.of(causes);
    PrintWriter out = spec.commandLine().getOut();
    if (watch != null && !json && Boolean.getBoolean("twinbox.terminal")) {
      out.print(CLEAR);
    }
    if (json) {
      try {
        out.println(StatusJson.write(status, verdict, lags, watch != null));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException("Records can always be written", e);
      }
      out.flush();
    } else {
      new StatusText(out).print(status, verdict, lags);
    }
    return verdict.level().exitCode();
  }

  /** Goes on while the database is away, which is when somebody watches. */
  private int watch(StatusReader reader, Settings settings, Thresholds limits, Duration pause)
      throws InterruptedException {
    int code = 0;
    while (!Thread.currentThread().isInterrupted()) {
      try {
        code = look(reader, settings, limits);
      } catch (SQLException e) {
        code = UNREADABLE;
        PrintWriter err = spec.commandLine().getErr();
        err.println(Explanation.of(unreadable(e)));
        err.flush();
      }
      Thread.sleep(pause.toMillis());
    }
    return code;
  }

  private static CommandException unreadable(SQLException e) {
    return new CommandException("The status cannot be read: " + Explanation.of(e), e);
  }
}
