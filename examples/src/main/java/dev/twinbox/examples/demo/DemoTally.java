package dev.twinbox.examples.demo;

import dev.twinbox.examples.common.RowStream;
import dev.twinbox.testkit.Tally;
import dev.twinbox.testkit.TallyReport;
import java.util.List;
import java.util.Objects;
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

  DemoTally(DSLContext database, DemoBroker broker) {
    this.database = database;
    this.broker = broker;
  }

  DemoResult count(double seconds) {
    Tally tally = new Tally();
    tally.expectConsumer("billing");
    RowStream.each(
        database,
        "select message_id, customer, number from shop.orders",
        row -> tally.committed(id(row), "customer-" + row.get(1), (long) row.get(2)));
    RowStream.each(
        database, "select message_id from shop.abandoned", row -> tally.rolledBack(id(row)));
    broker.read(tally::published);
    RowStream.each(
        database,
        "select message_id from billing.effect order by number",
        row -> tally.applied("billing", id(row)));
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
    return new DemoResult(report, wrongBalances, found);
  }

  private long wrongBalances() {
    Long wrong =
        database
            .resultQuery(
                "select count(*) from (select customer, sum(cents) as cents, count(*) as orders"
                    + " from shop.orders group by customer) o full join billing.balance b using"
                    + " (customer) where (o.cents, o.orders) is distinct from (b.cents, b.orders)")
            .fetchSingle()
            .into(Long.class);
    return Objects.requireNonNull(wrong);
  }

  private static UUID id(Record row) {
    return Objects.requireNonNull(row.get(0, UUID.class));
  }

  private static TallyReport.View view(TallyReport report, String name) {
    List<TallyReport.View> views = report.views();
    return views.stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
  }
}
