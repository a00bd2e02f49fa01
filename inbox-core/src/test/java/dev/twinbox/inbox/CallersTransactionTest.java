package dev.twinbox.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** What {@code receiveIn} accepts as a caller's transaction, on a pool without auto-commit. */
class CallersTransactionTest {
  private final InboxDatabase database = InboxDatabase.create();
  private final Inbox inbox = database.inbox("billing").build();
  private final HikariDataSource pool = pool();

  @AfterEach
  void close() {
    pool.close();
    database.close();
  }

  @Test
  void aContextInNoTransactionIsRefusedInsteadOfLosingTheEffects() {
    DSLContext db = DSL.using(pool, SQLDialect.POSTGRES);
    Delivery message = Messages.delivery();

    refused("in no transaction", () -> inbox.receiveIn(db, message, InboxDatabase::effect));
    assertThat(database.effects()).isEmpty();

    db.transaction(
        work ->
            assertThat(inbox.receiveIn(work.dsl(), message, InboxDatabase::effect))
                .isInstanceOf(Receipt.Processed.class));
    assertThat(database.effects()).containsExactly(message.id());
  }

  @Test
  void springsTransactionIsAcceptedUntilItIsOver() {
    TransactionTemplate transaction =
        new TransactionTemplate(new DataSourceTransactionManager(pool));
    DSLContext db =
        DSL.using(
            new DataSourceConnectionProvider(new TransactionAwareDataSourceProxy(pool)),
            SQLDialect.POSTGRES);
    Delivery message = Messages.delivery();
    Delivery late = Messages.delivery();
    transaction.executeWithoutResult(
        status -> {
          TransactionSynchronizationManager.registerSynchronization(
              new TransactionSynchronization() {
                @Override
                public void afterCommit() {
                  refused("over", () -> inbox.receiveIn(db, late, InboxDatabase::effect));
                  Connection connection = DataSourceUtils.getConnection(pool);
                  refused("over", () -> inbox.receiveIn(connection, late, InboxDatabase::effect));
                }

                @Override
                public void afterCompletion(int completion) {
                  refused("over", () -> inbox.receiveIn(db, late, InboxDatabase::effect));
                }
              });
          assertThat(inbox.receiveIn(db, message, InboxDatabase::effect))
              .isInstanceOf(Receipt.Processed.class);
        });
    refused("in no transaction", () -> inbox.receiveIn(db, late, InboxDatabase::effect));
    DSLContext unaware = DSL.using(pool, SQLDialect.POSTGRES);
    transaction.executeWithoutResult(
        status ->
            refused(
                "not that of Spring's",
                () -> inbox.receiveIn(unaware, late, InboxDatabase::effect)));
    assertThat(database.effects()).containsExactly(message.id());
  }

  @Test
  void aReadOnlyTransactionIsRefusedAndGoesOn() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setReadOnly(true);
      refused(
          "read-only",
          () -> inbox.receiveIn(connection, Messages.delivery(), InboxDatabase::effect));
      connection.createStatement().execute("select 1");
    }
  }

  private static void refused(String text, Runnable work) {
    assertThatThrownBy(work::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(text);
  }

  private HikariDataSource pool() {
    HikariDataSource created = new HikariDataSource();
    created.setJdbcUrl(database.jdbcUrl());
    created.setUsername(database.user());
    created.setAutoCommit(false);
    created.setMaximumPoolSize(3);
    return created;
  }
}
