package dev.twinbox.relay.store;

import dev.twinbox.postgres.Tables;
import java.sql.SQLException;

/**
 * Refuses a schema that this code cannot work with. Each migration states the oldest code that it
 * still serves, so that during a rolling upgrade the older relays go on.
 */
public final class SchemaGuard {
  /** The version of the schema that this code was written for; it needs at least this one. */
  public static final int CODE_VERSION = 7;

  private SchemaGuard() {}

  /**
   * Returns when the schema fits.
   *
   * @throws IllegalStateException when the tables are missing, too old, or too new; names both
   *     versions and the remedy
   */
  public static void check(Pipeline pipeline, Tables tables) throws SQLException {
    boolean exists =
        pipeline.query(
            "select to_regclass(?) is not null",
            s -> s.setString(1, tables.of("schema_version")),
            rows -> rows.next() && rows.getBoolean(1));
    int[] versions = exists ? read(pipeline, tables) : new int[] {0, 0};
    int found = versions[0];
    if (found == 0) {
      throw new IllegalStateException(
          ("The schema %s has no Twinbox tables; this code needs version %s. Run: bin/twinbox migrate,"
                  + " or call Migrations.apply(dataSource)")
              .formatted(tables.quotedSchema(), CODE_VERSION));
    }
    if (found < CODE_VERSION) {
      throw new IllegalStateException(
          ("The schema %s is at version %s; this code needs version %s. Run: bin/twinbox migrate,"
                  + " or call Migrations.apply(dataSource)")
              .formatted(tables.quotedSchema(), found, CODE_VERSION));
    }
    if (versions[1] > CODE_VERSION) {
      throw new IllegalStateException(
          ("The schema %s is at version %s, which serves code from version %s on; this code is"
                  + " version %s. Upgrade this service.")
              .formatted(tables.quotedSchema(), found, versions[1], CODE_VERSION));
    }
  }

  private static int[] read(Pipeline pipeline, Tables tables) throws SQLException {
    return pipeline.query(
        tables.sql(
            "select coalesce(max(version), 0), coalesce(max(serves_code_from), 0) from"
                + " {schema_version}"),
        s -> {},
        rows -> {
          rows.next();
          return new int[] {rows.getInt(1), rows.getInt(2)};
        });
  }
}
