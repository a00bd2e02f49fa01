package dev.twinbox.cli;

import dev.twinbox.relay.status.Thresholds;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** From where on something is worth a warning. */
final class ThresholdOptions {
  private static final String TIME = "TIME";
  private static final String COUNT = "N";

  @Option(
      names = "--max-age",
      paramLabel = TIME,
      defaultValue = "1m",
      converter = DurationConverter.class,
      description = "How long a message may wait, default ${DEFAULT-VALUE}.")
  private Duration maxAge = Thresholds.DEFAULTS.maxAge();

  @Option(
      names = "--max-waiting",
      paramLabel = COUNT,
      defaultValue = "100000",
      description = "How many messages may wait for a destination, default ${DEFAULT-VALUE}.")
  private long maxWaiting = Thresholds.DEFAULTS.maxWaiting();

  @Option(
      names = "--max-dead-letters",
      paramLabel = COUNT,
      defaultValue = "0",
      description = "How many dead letters may lie undiscarded, default ${DEFAULT-VALUE}.")
  private long maxDeadLetters;

  @Option(
      names = "--max-ring-fill",
      paramLabel = "PERCENT",
      defaultValue = "75",
      description = "How many of the outbox's leaves may hold rows, default ${DEFAULT-VALUE}.")
  private int maxRingFill = Thresholds.DEFAULTS.maxRingFill();

  @Option(
      names = "--max-unowned",
      paramLabel = TIME,
      defaultValue = "1m",
      converter = DurationConverter.class,
      description = "How long a lane may be without a relay, default ${DEFAULT-VALUE}.")
  private Duration maxUnowned = Thresholds.DEFAULTS.maxUnowned();

  @Option(
      names = "--max-overdue",
      paramLabel = TIME,
      defaultValue = "30s",
      converter = DurationConverter.class,
      description =
          "How long a scheduled message may be due and not moved to the outbox, default"
              + " ${DEFAULT-VALUE}.")
  private Duration maxOverdue = Thresholds.DEFAULTS.maxOverdue();

  @Option(
      names = "--max-transaction",
      paramLabel = TIME,
      defaultValue = "10m",
      converter = DurationConverter.class,
      description =
          "How long a transaction that has enqueued may be open, default ${DEFAULT-VALUE}.")
  private Duration maxTransaction = Thresholds.DEFAULTS.maxTransaction();

  @Option(
      names = "--max-skew",
      paramLabel = TIME,
      defaultValue = "5s",
      converter = DurationConverter.class,
      description = "How far a relay's clock may be off, default ${DEFAULT-VALUE}.")
  private Duration maxSkew = Thresholds.DEFAULTS.maxSkew();

  @Option(
      names = "--max-lag",
      paramLabel = COUNT,
      defaultValue = "100000",
      description =
          "How many messages the group of --group or the consumers of --queue may be behind,"
              + " default ${DEFAULT-VALUE}.")
  private long maxLag = Thresholds.DEFAULTS.maxLag();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  Thresholds thresholds() {
    try {
      return new Thresholds(
          maxAge,
          maxWaiting,
          maxDeadLetters,
          maxRingFill,
          maxUnowned,
          maxOverdue,
          maxTransaction,
          maxSkew,
          maxLag);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "Thresholds: " + Explanation.line(e), e);
    }
  }
}
