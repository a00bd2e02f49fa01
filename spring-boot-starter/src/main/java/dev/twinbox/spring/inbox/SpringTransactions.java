package dev.twinbox.spring.inbox;

import dev.twinbox.inbox.TransactionRunner;
import dev.twinbox.inbox.TransactionalWork;
import java.sql.Connection;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Handles messages in transactions of Spring's manager, JPA's too, so that repositories, templates
 * and {@code JdbcClient} take part. Thread-safe.
 */
public final class SpringTransactions implements TransactionRunner {
  private final TransactionTemplate template;
  private final DataSource dataSource;

  /**
   * @param dataSource the one whose transactions the manager makes
   */
  public SpringTransactions(PlatformTransactionManager manager, DataSource dataSource) {
    this.dataSource = dataSource;
    template = new TransactionTemplate(manager);
    template.setName("twinbox-inbox");
    template.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    template.setIsolationLevel(TransactionDefinition.ISOLATION_READ_COMMITTED);
  }

  @Override
  public void inTransaction(TransactionalWork work) {
    template.executeWithoutResult(
        status -> {
          Connection connection = DataSourceUtils.getConnection(dataSource);
          try {
            work.on(connection);
          } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
          }
        });
  }
}
