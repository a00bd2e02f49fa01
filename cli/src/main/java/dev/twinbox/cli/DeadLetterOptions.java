package dev.twinbox.cli;

import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.relay.deadletter.DeadLetterQueue;
import dev.twinbox.relay.store.DeadLetterFilter;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which dead letters the commands mean, and in which database. */
final class DeadLetterOptions {
  @Mixin private ConnectionOptions connection = new ConnectionOptions();

  @Option(
      names = "--number",
      paramLabel = "N",
      split = ",",
      description = "Those with these numbers, as 'list' shows them.")
  private List<Long> numbers = new ArrayList<>();

  @Option(
      names = "--id",
      paramLabel = "ID",
      split = ",",
      description = "Those with these message ids.")
  private List<UUID> ids = new ArrayList<>();

  @Option(
      names = "--destination",
      paramLabel = "DESTINATION",
      description = "Only those to this destination, as in kafka:orders.")
  private @Nullable String destination;

  @Option(
      names = "--reason",
      paramLabel = "REASON",
      description = "Only those of this cause, as 'group' shows it.")
  private @Nullable String reason;

  @Option(names = "--key", paramLabel = "KEY", description = "Only those with this key.")
  private @Nullable String key;

  @Option(
      names = "--before",
      paramLabel = "TIME",
      converter = InstantConverter.class,
      description = "Only those given up before then, as in 2026-11-22T07:00:00Z.")
  private @Nullable Instant before;

  DeadLetterFilter filter() {
    return new DeadLetterFilter(numbers, ids, destination, reason, key, before);
  }

  /** Work on the dead letters of one database. */
  @FunctionalInterface
  interface Work<T> {
    T on(DeadLetterQueue deadLetters) throws SQLException, InterruptedException;
  }

  <T> T in(Work<T> work) {
    return in(connection, work);
  }

  static <T> T in(ConnectionOptions connection, Work<T> work) {
    Settings settings = connection.settings();
    try (HikariDataSource database = Database.connect(settings, 1)) {
      return work.on(DeadLetterQueue.in(database, settings.schema()));
    } catch (SQLException e) {
      throw new CommandException("The dead letters: " + Explanation.of(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("Interrupted. What was done by then stays done.", e);
    }
  }
}
