package dev.twinbox.examples.soak;

import dev.twinbox.examples.common.RowStream;
import dev.twinbox.testkit.Tally;
import dev.twinbox.testkit.TallyReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jooq.DSLContext;

/**
 * Compares the business tables, as they are after every recovery, with all that the broker holds.
 * Nothing that Twinbox or a process of the soak has counted is believed.
 */
final class SoakTally {
  /**
   * For how long after a fault is healed a relay may find out about it: it has to be started, to
   * connect, to wait for a lease or a timeout, and to work off what has heaped up.
   */
  private static final Duration RECOVERY = Duration.ofSeconds(20);

  private static final String EFFECTS = "effects";

  private final DSLContext database;
  private final SoakBroker broker;
  private final SoakOptions options;

  SoakTally(DSLContext database, SoakBroker broker, SoakOptions options) {
    this.database = database;
    this.broker = broker;
    this.options = options;
  }

  /**
   * @param injected the faults, with those that hit nothing
   * @param leftovers what did not come to its end
   * @param seconds how long it took
   */
  SoakResult count(List<InjectedFault> injected, List<String> leftovers, double seconds) {
    Tally tally = new Tally();
    tally.expectConsumer(EFFECTS);
    for (InjectedFault fault : injected) {
      if (fault.hit() && fault.kind().leavesDoubt()) {
        tally.doubt(fault.at(), fault.healedAt().plus(RECOVERY));
      }
    }
    RowStream.each(
        database,
        "select message_id, key, sequence from soak.sent",
        row -> {
          String key = row.get(1, String.class);
          tally.committed(
              id(row.get(0)), SoakTables.KEYLESS.equals(key) ? null : key, (long) row.get(2));
        });
    broker.read(entry -> tally.published(entry.id(), entry.at()));
    RowStream.each(
        database,
        "select message_id from soak.effect order by key, nth",
        row -> tally.applied(EFFECTS, id(row.get(0))));
    TallyReport found = tally.check();

    TallyReport.View published = view(found, "published");
    TallyReport.View applied = view(found, "applied by " + EFFECTS);
    Map<String, SoakReport.Hits> hits = hits(injected);
    SoakReport report =
        new SoakReport(
            options.seed(),
            options.broker().toString(),
            broker.nodes(),
            options.duration().toMillis() / 1000.0,
            Math.round(seconds * 10) / 10.0,
            found.committed(),
            published.seen(),
            published.repeats(),
            applied.seen() + applied.repeats(),
            found.lost(),
            found.ghosts(),
            found.duplicates(),
            found.outOfOrder(),
            found.unexplained() + leftovers.size(),
            hits.values().stream().mapToLong(SoakReport.Hits::hit).sum(),
            hits,
            found.balanced() && leftovers.isEmpty());
    return new SoakResult(report, found, leftovers);
  }

  private Map<String, SoakReport.Hits> hits(List<InjectedFault> injected) {
    Map<String, SoakReport.Hits> hits = new LinkedHashMap<>();
    List<Schedule.Step> steps = new ArrayList<>(options.schedule().steps());
    for (FaultKind kind : FaultKind.values()) {
      long planned = steps.stream().filter(step -> step.kind() == kind).count();
      if (planned > 0) {
        long hit = injected.stream().filter(s -> s.kind() == kind && s.hit()).count();
        hits.put(kind.toString(), new SoakReport.Hits(planned, hit));
      }
    }
    return hits;
  }

  private static UUID id(@org.jspecify.annotations.Nullable Object value) {
    return (UUID) Objects.requireNonNull(value);
  }

  private static TallyReport.View view(TallyReport report, String name) {
    return report.views().stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
  }
}
