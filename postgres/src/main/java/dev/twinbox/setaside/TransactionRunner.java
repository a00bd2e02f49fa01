package dev.twinbox.setaside;

import java.sql.Connection;
import java.sql.SQLException;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;

/** Runs work in transactions of its own, READ COMMITTED, each durable once it returns. */
public interface TransactionRunner {
  /** Statements that are one transaction. */
  @FunctionalInterface
  interface Work<T> {
    T on(DSLContext dsl) throws SQLException;
  }

  /**
   * Runs work, perhaps more than once, and commits it. Throws an unchecked exception when the
   * database failed; nothing was done then.
   */
  <T> T run(Work<T> work);

  /** Runs work on a connection whose transaction the caller begins and commits. */
  static <T> T on(Connection connection, Work<T> work) throws SQLException {
    try {
      return work.on(DSL.using(connection, SQLDialect.POSTGRES));
    } catch (DataAccessException e) {
      SQLException said = e.getCause(SQLException.class);
      throw said == null ? new SQLException(e) : said;
    }
  }
}
