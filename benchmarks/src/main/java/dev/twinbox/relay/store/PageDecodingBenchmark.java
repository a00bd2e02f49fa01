package dev.twinbox.relay.store;

import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.infra.Blackhole;

/** What a row of a page costs between the driver's buffer and a record; PostgreSQL is not asked. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PageDecodingBenchmark {
  private static final int ROWS = 1_000;

  private @Nullable TestPostgres postgres;
  private @Nullable Connection connection;
  private @Nullable ResultSet rows;

  /** A page of 1,000 rows, read once. */
  @Setup
  public void read() throws SQLException {
    TestPostgres started = TestPostgres.start();
    postgres = started;
    Connection opened = started.dataSource().getConnection();
    connection = opened;
    rows =
        opened
            .createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)
            .executeQuery(
                """
                select 1 as lane, n as position, uuidv7() as id, clock_timestamp() as created_at,
                  null::timestamptz as expires_at, 'kafka:orders' as destination,
                  'order-' || n as key, 'order.placed' as type, 'text/plain' as content_type,
                  array['ce_source', '/bench'] as headers,
                  decode(repeat('00', 256), 'hex') as payload, 1000 as size
                from generate_series(1, %s) n
                """
                    .formatted(ROWS));
  }

  /** Row by row, as the window reader does. */
  @Benchmark
  @OperationsPerInvocation(ROWS)
  public void decode(Blackhole taken) throws SQLException {
    ResultSet page = rows;
    if (page == null) {
      throw new IllegalStateException("No page was read.");
    }
    page.beforeFirst();
    while (page.next()) {
      taken.consume(OutboxRows.read(page));
    }
  }

  /** Ends the server. */
  @TearDown
  public void end() throws SQLException {
    if (connection != null) {
      connection.close();
    }
    if (postgres != null) {
      postgres.close();
    }
  }
}
