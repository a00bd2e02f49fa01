package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import dev.twinbox.setaside.Filter;
import dev.twinbox.setaside.SetAside.Batch;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.OrderField;
import org.jooq.Record1;
import org.jooq.Select;
import org.jspecify.annotations.Nullable;

/** Messages that are not due yet, as an operator works on them. Holds no state. */
public final class ScheduledTable extends OutboxTable {
  /** What messages that never failed are selected by. */
  public static final Set<Filter> FILTERS =
      EnumSet.complementOf(EnumSet.of(Filter.CONSUMER, Filter.REASON, Filter.ERROR, Filter.CAUSE));

  private static final String CANCEL =
      """
      with picked as ({0}),
      gone as (
        delete from {outbox_scheduled} d using picked p where d.number = p.number
        returning d.number)
      select count(*), coalesce(max(number), 0) from gone""";

  /** Scheduled messages of the tables in {@code tables}. */
  public ScheduledTable(Tables tables) {
    super(tables, "Scheduled messages", FILTERS, "{outbox_scheduled}", "due_at");
  }

  /** By the index on both, until enough match. */
  @Override
  protected List<OrderField<?>> order() {
    return List.of(time(), number());
  }

  @Override
  protected boolean isWalkedByNumber() {
    return false;
  }

  @Override
  protected @Nullable Condition isDiscarded() {
    return null;
  }

  /** Deletes some; what a promotion has in work is passed over: it is too late for that. */
  public Batch cancel(DSLContext dsl, Select<Record1<Long>> picked) {
    return dsl.resultQuery(tables.sql(CANCEL), picked)
        .fetchSingle(r -> new Batch(r.get(0, Long.class), r.get(1, Long.class)));
  }
}
