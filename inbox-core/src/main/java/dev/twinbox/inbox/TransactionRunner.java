package dev.twinbox.inbox;

/**
 * Owns the transactions in which messages are handled, where that is not the inbox itself; see
 * {@link Inbox.Builder#transactions}. With Spring, JPA included, so that repositories take part:
 *
 * <pre>{@code
 * work -> template.executeWithoutResult(
 *     status -> work.on(DataSourceUtils.getConnection(dataSource)))
 * }</pre>
 *
 * <p>With jOOQ: {@code work -> dsl.transaction(configuration -> work.on(configuration.dsl()))}.
 *
 * <p>Called by several threads at once.
 */
@FunctionalInterface
public interface TransactionRunner {
  /**
   * Begins a transaction, calls the work in it, and commits; rolls back where the work throws. The
   * transaction is a new one, in the database of the inbox: what joins another one is not committed
   * when this returns, and the message is then not processed.
   *
   * @throws Exception what the work throws, or why the transaction did not begin or commit
   */
  void inTransaction(TransactionalWork work) throws Exception;
}
