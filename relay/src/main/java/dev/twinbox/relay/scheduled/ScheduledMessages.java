package dev.twinbox.relay.scheduled;

import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.OperatorTransactions;
import dev.twinbox.relay.store.ScheduledTable;
import dev.twinbox.setaside.Act;
import dev.twinbox.setaside.Selection;
import dev.twinbox.setaside.SetAside;
import javax.sql.DataSource;

/**
 * The messages of one database that are not due yet, for an operator: those first that are due
 * first. Throws {@link org.jooq.exception.DataAccessException} when the database failed.
 *
 * <p>Thread-safe. Needs a role with the grants of a relay.
 */
public final class ScheduledMessages extends SetAside {
  private final ScheduledTable table;

  private ScheduledMessages(DataSource dataSource, ScheduledTable table) {
    super(OperatorTransactions.on(dataSource), table);
    this.table = table;
  }

  /**
   * The scheduled messages in a schema.
   *
   * @throws IllegalArgumentException when the schema's name is not accepted
   */
  public static ScheduledMessages in(DataSource dataSource, String schema) {
    return new ScheduledMessages(dataSource, new ScheduledTable(Tables.in(schema)));
  }

  /**
   * Cancels messages: they are gone, and never published. What becomes due meanwhile goes out. In
   * transactions of at most 500, each with its line in {@code outbox_audit}.
   *
   * @return how many were cancelled
   * @throws IllegalStateException when they are not {@link Act#exactly} so many
   * @throws InterruptedException when interrupted between two transactions; what is done stays done
   */
  public long cancel(Selection selection, Act act) throws InterruptedException {
    return inBatches(
        "cancel",
        selection,
        /* mindsHorizon= */ false,
        act,
        (dsl, range) -> table.cancel(dsl, picked(selection, range)));
  }
}
