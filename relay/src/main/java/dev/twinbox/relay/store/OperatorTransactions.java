package dev.twinbox.relay.store;

import dev.twinbox.setaside.TransactionRunner;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.jooq.exception.DataAccessException;

/**
 * The transactions in which an operator looks at an outbox or changes it. Throws {@link
 * DataAccessException} when the database failed. Thread-safe.
 */
public final class OperatorTransactions implements TransactionRunner {
  private static final Duration STATEMENT = Duration.ofMinutes(1);
  private static final Duration LONG_STATEMENT = Duration.ofMinutes(30);

  private final Pipeline pipeline;
  private final String begin;

  private OperatorTransactions(DataSource dataSource, Duration patience, String begin) {
    pipeline = new Pipeline(dataSource, Math.toIntExact(patience.toMillis()));
    this.begin = begin;
  }

  /** Each statement has a minute. */
  public static OperatorTransactions on(DataSource dataSource) {
    return new OperatorTransactions(dataSource, STATEMENT, Pipeline.BEGIN_LONG);
  }

  /** For what reads everything there is: a silent server counts as gone after half an hour. */
  public static OperatorTransactions patient(DataSource dataSource) {
    return new OperatorTransactions(dataSource, LONG_STATEMENT, Pipeline.BEGIN_UNLIMITED);
  }

  @Override
  public <T> T run(Work<T> work) {
    try {
      return pipeline.transaction(begin, connection -> TransactionRunner.on(connection, work));
    } catch (SQLException e) {
      throw new DataAccessException(String.valueOf(e.getMessage()), e);
    }
  }
}
