package dev.twinbox.migrations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.testkit.PostgresVersion;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The reader relies on this: who has drawn a position has an xid already. Multi-row VALUES with
 * explicit DEFAULTs evaluate them in the user's column order, so here position comes first, and the
 * statement is held by a lock right after it.
 */
final class PositionDefaultTest {
  private static final String INSERT =
      """
      insert into twinbox.outbox (position, lane, xid, id, destination, type) values
        (default, length(pg_advisory_xact_lock(77)::text), default, gen_random_uuid(), 'kafka:a', 't'),
        (default, 0, default, gen_random_uuid(), 'kafka:a', 't')
      """;

  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void whoHasDrawnAPositionHasAnXidInWhateverOrderTheDefaultsStand(PostgresVersion version)
      throws Exception {
    DataSource database = migrated(version);

    assertThat(hasXidOnceItHasAPosition(database)).isTrue();
    assertThat(Sql.list(database, "select position from twinbox.outbox order by 1"))
        .containsExactly("2", "3");
    assertThat(Sql.list(database, "select distinct xid from twinbox.outbox")).hasSize(1);
  }

  /** That the test above can fail: with a plain default the trap snaps. */
  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void withAPlainSequenceDefaultThereWouldBeNone(PostgresVersion version) throws Exception {
    DataSource database = migrated(version);
    Sql.run(
        database,
        "alter table twinbox.outbox alter position set default nextval('twinbox.outbox_position')");

    assertThat(hasXidOnceItHasAPosition(database)).isFalse();
  }

  private static DataSource migrated(PostgresVersion version) {
    DataSource database = TestPostgres.shared(version).createDatabase().dataSource();
    Migrations.apply(database);
    return database;
  }

  private static boolean hasXidOnceItHasAPosition(DataSource database) throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (Connection holder = database.getConnection();
        Statement hold = holder.createStatement();
        Connection writer = database.getConnection();
        Statement write = writer.createStatement()) {
      // nextval gives an xid itself when it writes WAL, which it does once in 32 values. Not now.
      hold.execute("select nextval('twinbox.outbox_position')");
      hold.execute("select pg_advisory_lock(77)");
      writer.setAutoCommit(false);
      int pid = pid(write);
      Future<?> insert = thread.submit(() -> write.executeUpdate(INSERT));
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> waits(database, pid) && "2".equals(drawn(database)));
      String xids =
          Sql.one(
              database,
              "select count(*) from pg_locks where locktype = 'transactionid' and pid = " + pid);
      hold.execute("select pg_advisory_unlock(77)");
      insert.get(30, TimeUnit.SECONDS);
      writer.commit();
      return xids.equals("1");
    } finally {
      thread.shutdownNow();
    }
  }

  private static String drawn(DataSource database) throws SQLException {
    return Sql.one(database, "select last_value from twinbox.outbox_position");
  }

  private static boolean waits(DataSource database, int pid) throws SQLException {
    return Sql.one(
            database,
            "select count(*) from pg_locks where locktype = 'advisory' and not granted and pid = "
                + pid)
        .equals("1");
  }

  private static int pid(Statement statement) throws SQLException {
    try (ResultSet result = statement.executeQuery("select pg_backend_pid()")) {
      result.next();
      return result.getInt(1);
    }
  }
}
