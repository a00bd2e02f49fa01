package dev.twinbox.examples.common;

import java.util.function.Consumer;
import org.jooq.DSLContext;
import org.jooq.Record;

/** Reads tables that may be larger than the memory. */
public final class RowStream {
  private static final int AT_A_TIME = 10_000;

  private RowStream() {}

  /** In a transaction, because only there does PostgreSQL hand out rows in portions. */
  public static void each(DSLContext database, String query, Consumer<Record> action) {
    database.transaction(
        transaction -> {
          try (var rows = transaction.dsl().resultQuery(query).fetchSize(AT_A_TIME).fetchLazy()) {
            rows.forEach(action);
          }
        });
  }
}
