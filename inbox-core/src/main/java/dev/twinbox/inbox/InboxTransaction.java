package dev.twinbox.inbox;

import java.sql.Connection;
import org.jooq.DSLContext;

/**
 * The transaction in which a message is handled. For the handler's thread, for the time of the
 * call.
 */
public interface InboxTransaction {
  /** The transaction for jOOQ. A {@code transaction(...)} on it is a savepoint of this one. */
  DSLContext dsl();

  /**
   * The transaction for JDBC. Savepoints are free to use; committing, rolling the whole back,
   * switching auto-commit and closing are refused with an {@link IllegalStateException}.
   */
  Connection connection();
}
