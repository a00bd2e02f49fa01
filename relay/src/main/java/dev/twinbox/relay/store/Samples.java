package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What relays tell of themselves, for whoever asks how things stand. Thread-safe. */
public final class Samples {
  private final Pipeline pipeline;
  private final String add;
  private final String sweep;

  /** Works on the table in {@code tables}. */
  public Samples(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    // Deletes within a bounded stretch of the index: while a held xmin horizon keeps deleted rows,
    // those before it would be walked again and again.
    add =
        tables.sql(
            Pipeline.BEGIN
                + "set local synchronous_commit = off; "
                + WindowReader.INDEX_ORDER_ONLY
                + "delete from {outbox_sample} where taken_at between clock_timestamp() - interval"
                + " '15 minutes' and clock_timestamp() - interval '10 minutes'; insert into"
                + " {outbox_sample} (relay, span_ms, position, destinations, published,"
                + " dead_lettered, expired, troubled, reasons, troubled_ms, parked) select ?, ?,"
                + " last_value, ?, ?, ?, ?, ?, ?, ?, ? from {outbox_position}; select 1; commit");
    sweep =
        tables.sql(
            Pipeline.BEGIN_LONG
                + "with gone as (delete from {outbox_sample} where taken_at < clock_timestamp() -"
                + " interval '10 minutes' returning 1) select count(*) from gone; commit");
  }

  /**
   * What a relay did for a destination since its last sample.
   *
   * @param published messages that the broker has confirmed
   * @param deadLettered messages that were given up, expired ones included
   * @param expired messages that were given up because they had expired
   */
  public record Done(String destination, long published, long deadLettered, long expired) {}

  /**
   * A destination that takes nothing.
   *
   * @param reason a short code, as in {@code unreachable}
   * @param lasting for how long
   * @param parked whether its messages are parked
   */
  public record Failing(String destination, String reason, Duration lasting, boolean parked) {}

  /**
   * Adds a sample, and takes out old ones.
   *
   * @param span how long it took to do what was done
   */
  public void add(String relay, Duration span, List<Done> done, List<Failing> failing)
      throws SQLException {
    pipeline.query(
        add,
        s -> {
          s.setString(1, relay);
          s.setLong(2, span.toMillis());
          array(s, 3, "text", done, Done::destination);
          array(s, 4, "bigint", done, Done::published);
          array(s, 5, "bigint", done, Done::deadLettered);
          array(s, 6, "bigint", done, Done::expired);
          array(s, 7, "text", failing, Failing::destination);
          array(s, 8, "text", failing, Failing::reason);
          array(s, 9, "bigint", failing, each -> each.lasting().toMillis());
          array(s, 10, "boolean", failing, Failing::parked);
        },
        rows -> rows.next());
  }

  /** Takes out what is old, also where nobody did for long. */
  public void sweep() throws SQLException {
    pipeline.query(sweep, s -> {}, rows -> rows.next());
  }

  private static <T> void array(
      PreparedStatement s,
      int parameter,
      String type,
      List<T> all,
      Function<T, @Nullable Object> value)
      throws SQLException {
    s.setArray(parameter, s.getConnection().createArrayOf(type, all.stream().map(value).toArray()));
  }
}
