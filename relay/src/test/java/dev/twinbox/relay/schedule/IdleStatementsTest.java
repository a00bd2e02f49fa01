package dev.twinbox.relay.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.MemoryBroker;
import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.Relay;
import dev.twinbox.testkit.TestPostgres;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What a relay that has nothing to do asks of its database. */
class IdleStatementsTest {
  private static final int SECONDS = 20;

  /** What Quartz's clustered store sends by itself was four times as much. */
  @Test
  void quartzAsksSeldom() throws Exception {
    try (TestPostgres server =
            TestPostgres.builder()
                .setting("shared_preload_libraries", "pg_stat_statements")
                .start();
        OutboxDatabase database = new OutboxDatabase(server.createDatabase(), 1_000, 4);
        MemoryBroker broker = new MemoryBroker();
        Relay relay =
            Relay.builder()
                .dataSource(database.dataSource())
                .broker(broker)
                .development()
                .build()) {
      database.execute("create extension pg_stat_statements");
      relay.start();
      TimeUnit.SECONDS.sleep(10);
      database.execute("select pg_stat_statements_reset()");
      TimeUnit.SECONDS.sleep(SECONDS);

      assertThat(calls(database, "query ilike '%qrtz%'")).isBetween(1L, 6L * SECONDS);
      assertThat(calls(database, "true")).isLessThan(45L * SECONDS);
    }
  }

  private static long calls(OutboxDatabase database, String which) throws Exception {
    long calls =
        database.number(
            "select coalesce(sum(calls), 0)::bigint from pg_stat_statements s join pg_database d on"
                + " d.oid = s.dbid where d.datname = current_database() and "
                + which);
    System.out.printf(Locale.ROOT, "%s: %s in %s s%n", which, calls, SECONDS);
    return calls;
  }
}
