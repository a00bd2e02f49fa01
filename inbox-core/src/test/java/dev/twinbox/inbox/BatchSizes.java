package dev.twinbox.inbox;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** How many messages were handled in each transaction. */
public final class BatchSizes {
  private BatchSizes() {}

  /** A handler that writes down its transaction. */
  public static void note(Delivery delivery, InboxTransaction work) throws SQLException {
    try (PreparedStatement insert =
        work.connection()
            .prepareStatement(
                "insert into effect (id, by_whom) values (?, pg_current_xact_id()::text)")) {
      insert.setString(1, delivery.id());
      insert.executeUpdate();
    }
  }

  /** Of each transaction, in their order. */
  public static List<Integer> of(InboxDatabase database) {
    return database
        .texts("select count(*) from effect group by by_whom order by min(number)")
        .stream()
        .map(Integer::valueOf)
        .toList();
  }
}
