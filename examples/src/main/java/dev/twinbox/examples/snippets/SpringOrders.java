package dev.twinbox.examples.snippets;

import dev.twinbox.inbox.Inbox;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.sql.Connection;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionTemplate;

/** Enqueues and handles in Spring's transactions. */
public class SpringOrders {
  private static final String INSERT = "insert into orders (id, customer, cents) values (?, ?, ?)";

  private final JdbcTemplate jdbc;
  private final DataSource dataSource;
  private final DSLContext db;
  private final Outbox outbox;

  public SpringOrders(DataSource dataSource, Outbox outbox) {
    this.jdbc = new JdbcTemplate(dataSource);
    this.dataSource = dataSource;
    this.db = jooq(dataSource);
    this.outbox = outbox;
  }

  // docs: spring
  @Transactional
  public void place(OrderPlaced order) {
    jdbc.update(INSERT, order.id(), order.customer(), order.cents());
    outbox.enqueue(db, Message.to("kafka:orders").key(order.id()).type("order.placed").json(order));
  }

  // docs: end

  // docs: spring-jooq
  static DSLContext jooq(DataSource dataSource) {
    return DSL.using(
        new DataSourceConnectionProvider(new TransactionAwareDataSourceProxy(dataSource)),
        SQLDialect.POSTGRES);
  }

  // docs: end

  // docs: spring-connection
  @Transactional
  public void cancel(String orderId) {
    jdbc.update("delete from orders where id = ?", orderId);
    Connection connection = DataSourceUtils.getConnection(dataSource);
    try {
      outbox.enqueue(
          connection, Message.to("kafka:orders").key(orderId).type("order.cancelled").tombstone());
    } finally {
      DataSourceUtils.releaseConnection(connection, dataSource);
    }
  }

  // docs: end

  static Inbox inbox(DataSource dataSource, PlatformTransactionManager transactionManager) {
    // docs: inbox-spring
    TransactionTemplate template = new TransactionTemplate(transactionManager);
    Inbox inbox =
        Inbox.builder()
            .dataSource(dataSource)
            .consumer("billing")
            .transactions(
                work ->
                    template.executeWithoutResult(
                        status -> work.on(DataSourceUtils.getConnection(dataSource))))
            .build();
    // docs: end
    return inbox;
  }
}
