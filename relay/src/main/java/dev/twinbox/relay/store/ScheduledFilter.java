package dev.twinbox.relay.store;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which waiting messages are meant: those that match everything that is given.
 *
 * @param ids their message ids, or empty for any
 * @param destination their destination as enqueued, or null for any
 * @param key their key, or null for any
 * @param dueBefore due before this time, by the database's clock, or null for any
 */
public record ScheduledFilter(
    List<UUID> ids,
    @Nullable String destination,
    @Nullable String key,
    @Nullable Instant dueBefore) {

  /** Every waiting message. */
  public static final ScheduledFilter ALL = new ScheduledFilter(List.of(), null, null, null);

  /** The filter as a row {@code f}, at the head of a statement. */
  static final String ROW =
      "with f as (select ?::uuid[] as ids, ?::text as destination, ?::text as key, ?::timestamptz"
          + " as due_before) ";

  /** Whether row {@code s} matches. */
  static final String MATCHES =
      "(f.ids is null or s.id = any (f.ids)) and (f.destination is null or s.destination ="
          + " f.destination) and (f.key is null or s.key = f.key) and (f.due_before is null or"
          + " s.due_at < f.due_before)";

  public ScheduledFilter {
    ids = List.copyOf(ids);
  }

  /** Sets the parameters of {@link #ROW}; returns the number after the last. */
  int bind(PreparedStatement s) throws SQLException {
    s.setArray(1, ids.isEmpty() ? null : s.getConnection().createArrayOf("uuid", ids.toArray()));
    s.setString(2, destination);
    s.setString(3, key);
    s.setObject(4, dueBefore == null ? null : dueBefore.atOffset(ZoneOffset.UTC));
    return 5;
  }

  /** In words, as it stands in the audit. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    say(text, "id", ids.isEmpty() ? null : ids);
    say(text, "destination", destination);
    say(text, "key", key);
    say(text, "due before", dueBefore);
    return text.isEmpty() ? "all scheduled" : "scheduled, " + text;
  }

  private static void say(StringBuilder text, String name, @Nullable Object value) {
    if (value != null) {
      text.append(text.isEmpty() ? "" : ", ").append(name).append(" = ").append(value);
    }
  }
}
