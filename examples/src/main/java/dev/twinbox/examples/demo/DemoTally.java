package dev.twinbox.examples.demo;

import dev.twinbox.examples.common.RowStream;
import dev.twinbox.testkit.Tally;
import dev.twinbox.testkit.TallyReport;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.Record;

/**
 * Compares the shop's orders, what the broker holds and the effects on balances. It reads tables
 * and the broker itself; nothing that Twinbox counts is believed.
 */
final class DemoTally {
  private final DSLContext database;
  private final DemoBroker broker;
  private final Billing billing;

  /**
   * @param database with the shop's tables
   */
  DemoTally(DSLContext database, DemoBroker broker, Billing billing) {
    this.database = database;
    this.broker = broker;
    this.billing = billing;
  }

  DemoResult count(double seconds) {
    Tally tally = new Tally();
    tally.expectConsumer(Billing.CONSUMER);
    RowStream.each(
        database,
        "select message_id, customer, number from shop.orders",
        row -> tally.committed(id(row), "customer-" + row.get(1), (long) row.get(2)));
    RowStream.each(
        database, "select message_id from shop.abandoned", row -> tally.rolledBack(id(row)));
    broker.read(tally::published);
    billing.effects(id -> tally.applied(Billing.CONSUMER, id));
    TallyReport found = tally.check();

    long published = view(found, "published").seen();
    TallyReport.View applied = view(found, "applied by billing");
    long effects = applied.seen() + applied.repeats();
    long delivered = broker.delivered();
    long wrongBalances = wrongBalances();
    DemoReport report =
        new DemoReport(
            found.committed(),
            found.rolledBack(),
            published,
            delivered,
            delivered - effects,
            effects,
            found.lost(),
            found.ghosts() + found.duplicates(),
            found.outOfOrder(),
            Math.round(seconds * 10) / 10.0,
            found.balanced() && wrongBalances == 0 && effects == found.committed());
    return new DemoResult(report, wrongBalances, billing.effectsAt(), found);
  }

  private long wrongBalances() {
    Map<Integer, Billing.Balance> right =
        database
            .resultQuery("select customer, sum(cents), count(*) from shop.orders group by customer")
            .fetchMap(
                row -> row.get(0, Integer.class),
                row -> new Billing.Balance(row.get(1, Long.class), row.get(2, Long.class)));
    Map<Integer, Billing.Balance> found = billing.balances();
    Set<Integer> customers = new HashSet<>(right.keySet());
    customers.addAll(found.keySet());
    return customers.stream()
        .filter(customer -> !Objects.equals(right.get(customer), found.get(customer)))
        .count();
  }

  private static UUID id(Record row) {
    return Objects.requireNonNull(row.get(0, UUID.class));
  }

  private static TallyReport.View view(TallyReport report, String name) {
    List<TallyReport.View> views = report.views();
    return views.stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
  }
}
