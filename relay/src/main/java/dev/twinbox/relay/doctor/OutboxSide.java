package dev.twinbox.relay.doctor;

import dev.twinbox.broker.doctor.Examining;
import dev.twinbox.broker.doctor.Finding;
import dev.twinbox.broker.doctor.ServerExamination;
import dev.twinbox.broker.doctor.Severity;
import dev.twinbox.postgres.Tables;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;

/**
 * What the database says: about itself, and where messages go.
 *
 * @param destinations each with whether messages without a key go there
 */
record OutboxSide(List<Finding> findings, Map<String, Boolean> destinations) {
  /**
   * Looks at the server, the outbox's tables, and what is in them.
   *
   * @param deadLetters whether their destinations count, too
   */
  static OutboxSide examine(DataSource dataSource, Tables tables, boolean deadLetters) {
    Map<String, Boolean> destinations = new TreeMap<>();
    List<Finding> findings =
        new ArrayList<>(
            Examining.database(
                dataSource,
                "database",
                connection ->
                    ServerExamination.withDefaults().forPublishing().examine(connection)));
    List<Finding> outbox =
        Examining.database(
            dataSource, "outbox", connection -> OutboxExamination.examine(connection, tables));
    findings.addAll(outbox);
    boolean readable =
        outbox.stream()
            .noneMatch(
                f -> f.severity() == Severity.UNKNOWN || f.code().matches("(schema|grant)-.*"));
    if (readable) {
      findings.addAll(
          Examining.database(
              dataSource,
              "messages that wait",
              connection -> {
                destinations.putAll(KnownDestinations.waiting(connection, tables));
                if (deadLetters) {
                  KnownDestinations.givenUp(connection, tables)
                      .forEach(
                          (where, keyless) ->
                              destinations.merge(where, keyless, Boolean::logicalOr));
                }
                return List.of();
              }));
    }
    return new OutboxSide(findings, destinations);
  }

  /** Those of one broker. */
  Map<String, Boolean> destinationsOf(String broker) {
    Map<String, Boolean> own = new TreeMap<>(destinations);
    own.keySet().removeIf(destination -> !destination.startsWith(broker + ":"));
    return own;
  }
}
