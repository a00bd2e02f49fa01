package dev.twinbox.examples.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jooq.DSLContext;
import org.jooq.Record;

/** The progress of a soak, and what is unfinished, by the tables and the broker. */
final class SoakProgress {
  private static final String UNSETTLED =
      "select count(*) from twinbox.outbox o join twinbox.outbox_lane_state l using (lane) where not"
          + " pg_visible_in_snapshot(o.xid, l.done)";

  private final DSLContext database;
  private final SoakBroker broker;

  SoakProgress(DSLContext database, SoakBroker broker) {
    this.database = database;
    this.broker = broker;
  }

  /** How many messages were committed; cheap. */
  long committed() {
    return number("select sum(last)::bigint from soak.chain");
  }

  /** How many effects were committed; cheap. */
  long effects() {
    return number("select sum(effects)::bigint from soak.balance");
  }

  /** How many lanes of the broker have an owner. */
  long ownedLanes() {
    Long owned =
        database
            .resultQuery(
                "select count(*) from twinbox.outbox_lane_state where broker = ? and owner is not"
                    + " null and lease_until > clock_timestamp()",
                broker.lanes())
            .fetchSingle()
            .into(Long.class);
    return Objects.requireNonNull(owned);
  }

  long lanes() {
    return number(
        "select count(*) from twinbox.outbox_lane where broker = '" + broker.lanes() + "'");
  }

  /** Whether everything is processed and acknowledged. */
  boolean isDrained() {
    return effects() >= committed() && number(UNSETTLED) == 0 && broker.unacknowledged() == 0;
  }

  /** Everything unfinished or put aside, a sentence each. */
  List<String> leftovers() {
    List<String> leftovers = new ArrayList<>();
    complain(leftovers, number(UNSETTLED), "messages in the outbox are not settled");
    complain(leftovers, broker.unacknowledged(), "deliveries are not acknowledged");
    complain(leftovers, broker.setAside(), "messages were put aside by the broker");
    complain(
        leftovers,
        number("select count(*) from twinbox.outbox_dead_letter"),
        "messages were given up by a relay");
    complain(
        leftovers, number("select count(*) from twinbox.outbox_parked"), "messages are parked");
    complain(
        leftovers,
        number("select count(*) from twinbox.inbox_dead_letter"),
        "deliveries were quarantined by a consumer");
    return leftovers;
  }

  private static void complain(List<String> leftovers, long count, String what) {
    if (count > 0) {
      leftovers.add(count + " " + what);
    }
  }

  private long number(String query) {
    Record row = database.resultQuery(query).fetchSingle();
    Long number = row.get(0, Long.class);
    return number == null ? 0 : number;
  }
}
