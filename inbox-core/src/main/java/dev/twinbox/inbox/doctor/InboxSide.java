package dev.twinbox.inbox.doctor;

import dev.twinbox.broker.doctor.Examining;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.ServerExamination;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * A database from a consumer's side, for the doctor. Immutable.
 *
 * @param findings about the server and the inbox's tables
 * @param horizon for how long redelivered messages are recognised; empty when that cannot be read
 */
public record InboxSide(List<Finding> findings, Optional<Duration> horizon) {
  /** Keeps a copy. */
  public InboxSide {
    findings = List.copyOf(findings);
  }

  /**
   * Looks at the database; what fails becomes a finding, and nothing is thrown.
   *
   * @param quotedSchema the schema's name in double quotes
   */
  public static InboxSide examine(DataSource dataSource, String quotedSchema) {
    InboxExamination inbox = new InboxExamination(quotedSchema);
    List<Duration> horizon = new ArrayList<>();
    List<Finding> findings =
        Examining.database(
            dataSource,
            "inbox",
            connection -> {
              List<Finding> found =
                  new ArrayList<>(ServerExamination.withDefaults().examine(connection));
              found.addAll(inbox.examine(connection));
              if (found.stream().noneMatch(f -> f.code().matches("(schema|grant)-.*"))) {
                inbox.horizon(connection).ifPresent(horizon::add);
              }
              return found;
            });
    return new InboxSide(findings, horizon.stream().findFirst());
  }
}
