package dev.twinbox.inbox;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the beginning of a transaction has recorded.
 *
 * @param ids the messages whose handlers are to run
 * @param transaction the id of the transaction, without which nothing of it may be committed; null
 *     where no handler runs
 */
record Recorded(Set<UUID> ids, @Nullable String transaction) {
  static final Recorded NOTHING = new Recorded(Set.of(), null);

  /** The message, where there is a row, which holds the transaction's id. */
  static Recorded one(UUID id, ResultSet row) throws SQLException {
    return row.next() ? new Recorded(Set.of(id), row.getString(1)) : NOTHING;
  }

  /** From rows of a message's id and the transaction's. */
  static Recorded all(ResultSet rows) throws SQLException {
    Set<UUID> ids = new HashSet<>();
    String transaction = null;
    while (rows.next()) {
      ids.add(rows.getObject(1, UUID.class));
      transaction = rows.getString(2);
    }
    return new Recorded(ids, transaction);
  }

  boolean isEmpty() {
    return ids.isEmpty();
  }

  /** Both, of one transaction. */
  Recorded and(Recorded others) {
    if (others.isEmpty()) {
      return this;
    }
    Set<UUID> all = new HashSet<>(ids);
    all.addAll(others.ids);
    return new Recorded(all, others.transaction);
  }
}
