package dev.twinbox.relay.store;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which dead letters are meant: those that match everything that is given.
 *
 * @param numbers their numbers, or empty for any
 * @param ids their message ids, or empty for any
 * @param destination their destination as enqueued, or null for any
 * @param reason the code of their cause, such as {@code too-large}, or null for any
 * @param key their key, or null for any
 * @param before given up before this time, by the database's clock, or null for any
 */
public record DeadLetterFilter(
    List<Long> numbers,
    List<UUID> ids,
    @Nullable String destination,
    @Nullable String reason,
    @Nullable String key,
    @Nullable Instant before) {

  /** Every dead letter. */
  public static final DeadLetterFilter ALL =
      new DeadLetterFilter(List.of(), List.of(), null, null, null, null);

  /** The filter as a row {@code f}, at the head of a statement. */
  static final String ROW =
      "with f as (select ?::bigint[] as numbers, ?::uuid[] as ids, ?::text as destination, ?::text"
          + " as reason, ?::text as key, ?::timestamptz as before) ";

  /** Whether row {@code d} matches. */
  static final String MATCHES =
      "(f.numbers is null or d.number = any (f.numbers)) and (f.ids is null or d.id = any (f.ids))"
          + " and (f.destination is null or d.destination = f.destination) and (f.reason is null or"
          + " d.reason = f.reason) and (f.key is null or d.key = f.key) and (f.before is null or"
          + " d.dead_at < f.before)";

  public DeadLetterFilter {
    numbers = List.copyOf(numbers);
    ids = List.copyOf(ids);
  }

  /** This filter for certain numbers. */
  public DeadLetterFilter withNumbers(List<Long> wanted) {
    return new DeadLetterFilter(wanted, ids, destination, reason, key, before);
  }

  /** This filter for certain message ids. */
  public DeadLetterFilter withIds(List<UUID> wanted) {
    return new DeadLetterFilter(numbers, wanted, destination, reason, key, before);
  }

  /** This filter for one destination. */
  public DeadLetterFilter withDestination(String wanted) {
    return new DeadLetterFilter(numbers, ids, wanted, reason, key, before);
  }

  /** This filter for one cause. */
  public DeadLetterFilter withReason(String wanted) {
    return new DeadLetterFilter(numbers, ids, destination, wanted, key, before);
  }

  /** Sets the parameters of {@link #ROW}; returns the number after the last. */
  int bind(PreparedStatement s) throws SQLException {
    s.setArray(
        1, numbers.isEmpty() ? null : s.getConnection().createArrayOf("bigint", numbers.toArray()));
    s.setArray(2, ids.isEmpty() ? null : s.getConnection().createArrayOf("uuid", ids.toArray()));
    s.setString(3, destination);
    s.setString(4, reason);
    s.setString(5, key);
    s.setObject(6, before == null ? null : before.atOffset(ZoneOffset.UTC));
    return 7;
  }

  /** In words, as it stands in the audit. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    say(text, "number", numbers.isEmpty() ? null : numbers);
    say(text, "id", ids.isEmpty() ? null : ids);
    say(text, "destination", destination);
    say(text, "reason", reason);
    say(text, "key", key);
    say(text, "before", before);
    return text.isEmpty() ? "all" : text.toString();
  }

  private static void say(StringBuilder text, String name, @Nullable Object value) {
    if (value != null) {
      text.append(text.isEmpty() ? "" : ", ").append(name).append(" = ").append(value);
    }
  }
}
