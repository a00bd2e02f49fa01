package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.SQLException;

/** Which duties of upkeep fail, for whoever asks how things stand. Thread-safe. */
public final class UpkeepFailures {
  private static final int LONGEST_ERROR = 500;

  private final Pipeline pipeline;
  private final String note;
  private final String clear;

  /** Works on the table in {@code tables}. */
  public UpkeepFailures(Pipeline pipeline, Tables tables) {
    this.pipeline = pipeline;
    note =
        tables.sql(
            "with noted as (insert into {outbox_upkeep} as u (duty, relay, error) values (?, ?, ?)"
                + " on conflict (duty) do update set relay = excluded.relay, error ="
                + " excluded.error, failed_at = excluded.failed_at returning 1) select count(*)"
                + " from noted");
    clear =
        tables.sql(
            "with gone as (delete from {outbox_upkeep} where duty = ? returning 1) select count(*)"
                + " from gone");
  }

  /** The duty has failed on this relay. */
  public void note(String duty, String relay, String error) throws SQLException {
    String text = error.length() > LONGEST_ERROR ? error.substring(0, LONGEST_ERROR) : error;
    pipeline.query(
        note,
        s -> {
          s.setString(1, duty);
          s.setString(2, relay);
          s.setString(3, text.replace('\0', ' '));
        },
        rows -> rows.next());
  }

  /** The duty was done. */
  public void clear(String duty) throws SQLException {
    pipeline.query(clear, s -> s.setString(1, duty), rows -> rows.next());
  }
}
