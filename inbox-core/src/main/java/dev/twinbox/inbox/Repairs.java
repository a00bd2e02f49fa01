package dev.twinbox.inbox;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts right what a handler has committed in place of the inbox: whose handler has not run is not
 * known as processed, and what is half done goes to quarantine, where somebody sees it.
 *
 * <p>What the database keeps from being done is done before anything else is received. Thread-safe.
 */
final class Repairs {
  private static final Logger log = LoggerFactory.getLogger(Repairs.class);
  private static final int MOST_WAITING = 1_000;
  private static final String NOT_HANDLED =
      "The handler of another message of its batch has committed its id. It has a pass: it is"
          + " handled at its next delivery, or by a redrive.";

  private final Transactions transactions;
  private final InboxStore store;
  private final QuarantineStore quarantine;
  private final Queue<Repair> waiting = new ConcurrentLinkedQueue<>();

  private record Repair(int consumer, EndedTransaction ended) {}

  Repairs(Transactions transactions, InboxStore store, QuarantineStore quarantine) {
    this.transactions = transactions;
    this.store = store;
    this.quarantine = quarantine;
  }

  /** Leaves it to {@link #settleWaiting}. */
  void remember(int consumer, @Nullable EndedTransaction ended) {
    if (ended != null && waiting.size() < MOST_WAITING) {
      waiting.add(new Repair(consumer, ended));
    }
  }

  /** Settles what was left. */
  void settleWaiting() {
    Repair repair = waiting.peek();
    while (repair != null) {
      settle(repair);
      waiting.remove(repair);
      repair = waiting.peek();
    }
  }

  /**
   * Tells whether the transaction was committed; if so, everything is put right then.
   *
   * @throws DatabaseUnavailableException when it is not known, or was not put right yet
   */
  boolean settle(int consumer, @Nullable EndedTransaction ended) {
    if (ended == null) {
      return false;
    }
    try {
      return settle(new Repair(consumer, ended));
    } catch (DatabaseUnavailableException e) {
      remember(consumer, ended);
      throw e;
    }
  }

  private boolean settle(Repair repair) {
    boolean committed;
    try {
      committed =
          transactions.run(
              "What a handler has committed was not put right",
              connection -> put(connection, repair));
    } catch (DatabaseUnavailableException e) {
      if (!SqlTrouble.unknownTransaction(e)) {
        throw e;
      }
      committed = false;
    }
    if (committed) {
      log.error(
          "A handler has committed the transaction of the inbox. Quarantined, as what it wrote is"
              + " committed and may be half of it: {}",
          repair.ended().halfDone(),
          Throwables.loggable(repair.ended().error()));
    }
    return committed;
  }

  private boolean put(Connection connection, Repair repair) throws SQLException {
    EndedTransaction ended = repair.ended();
    int consumer = repair.consumer();
    if (!ended.isCommitted(connection)
        || !store.areRecorded(connection, consumer, ended.recorded())) {
      return false;
    }
    for (CheckedDelivery checked : ended.halfDone()) {
      quarantine.keep(
          connection,
          consumer,
          checked,
          QuarantineReason.TRANSACTION_ENDED,
          ErrorText.of(ended.error()),
          1,
          true);
    }
    for (CheckedDelivery checked : ended.notHandled()) {
      quarantine.keep(
          connection, consumer, checked, QuarantineReason.TRANSACTION_ENDED, NOT_HANDLED, 0, true);
      store.givePass(connection, consumer, checked.id(), "twinbox");
    }
    List<UUID> done = new ArrayList<>(ended.recorded());
    ended.notHandled().forEach(checked -> done.remove(checked.id()));
    quarantine.clear(connection, consumer, done);
    return true;
  }
}
