package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.jooq.impl.DataSourceConnectionProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.interceptor.DefaultTransactionAttribute;
import org.springframework.transaction.interceptor.MatchAlwaysTransactionAttributeSource;
import org.springframework.transaction.interceptor.TransactionAspectSupport;
import org.springframework.transaction.support.AbstractPlatformTransactionManager;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/** When Spring's transaction commits what is enqueued, and when nobody would. */
final class SpringPhasesTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();
  private final HikariDataSource pool = pool();
  private final DataSourceTransactionManager manager = new DataSourceTransactionManager(pool);
  private final TransactionTemplate transaction = new TransactionTemplate(manager);
  private final DSLContext db = jooq(new TransactionAwareDataSourceProxy(pool));

  @AfterEach
  void close() {
    pool.close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void outsideOfATransactionItIsRefused(boolean autoCommit) {
    pool.setAutoCommit(autoCommit);
    refused("in no transaction", () -> outbox.enqueue(db, placed("1")));
    refused("in no transaction", () -> outbox.enqueueAll(db, List.of(placed("1"))));
    refused("in no transaction", () -> outbox.cancel(db, UUID.randomUUID()));
    assertThat(test.keys()).isEmpty();
  }

  /** SUPPORTS and NOT_SUPPORTED bind connections until the scope ends, and commit none. */
  @ParameterizedTest
  @ValueSource(
      ints = {
        TransactionDefinition.PROPAGATION_SUPPORTS,
        TransactionDefinition.PROPAGATION_NOT_SUPPORTED
      })
  void aScopeWithoutTransactionIsRefused(int propagation) {
    TransactionTemplate scope = template(propagation);
    scope.executeWithoutResult(
        status -> {
          new JdbcTemplate(pool).queryForList("select 1");
          refused("in no transaction", () -> outbox.enqueue(db, placed("1")));
          refused("in no transaction", () -> outbox.enqueue(springs(), placed("2")));
        });
    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(db, placed("kept"));
          if (propagation == TransactionDefinition.PROPAGATION_NOT_SUPPORTED) {
            scope.executeWithoutResult(
                inner -> refused("in no transaction", () -> outbox.enqueue(db, placed("3"))));
          }
          outbox.enqueue(db, placed("kept too"));
        });
    assertThat(test.keys()).containsExactly("kept", "kept too");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void afterTheCommitItIsRefusedByName(boolean enqueuedBefore) {
    List<String> phases = new ArrayList<>();
    transaction.executeWithoutResult(
        status -> {
          TransactionSynchronizationManager.registerSynchronization(
              new TransactionSynchronization() {
                @Override
                public void afterCommit() {
                  refusedTooLate("afterCommit", () -> outbox.enqueue(db, placed("1")));
                  refusedTooLate("afterCommit", () -> outbox.enqueue(springs(), placed("2")));
                  refusedTooLate("afterCommit", () -> outbox.enqueueAll(db, List.of(placed("3"))));
                  refusedTooLate("afterCommit", () -> outbox.cancel(db, UUID.randomUUID()));
                  joined(() -> outbox.enqueue(db, placed("4")), "afterCommit");
                  phases.add("commit");
                }

                @Override
                public void afterCompletion(int completion) {
                  refusedTooLate("afterCompletion", () -> outbox.enqueue(db, placed("5")));
                  refusedTooLate("afterCompletion", () -> outbox.enqueue(springs(), placed("6")));
                  phases.add("completion");
                }
              });
          if (enqueuedBefore) {
            outbox.enqueue(db, placed("before"));
          }
        });
    assertThat(phases).containsExactly("commit", "completion");
    assertThat(test.keys()).isEqualTo(enqueuedBefore ? List.of("before") : List.of());
  }

  @Test
  void beforeTheCommitItIsAccepted() {
    transaction.executeWithoutResult(
        status ->
            TransactionSynchronizationManager.registerSynchronization(
                new TransactionSynchronization() {
                  @Override
                  public void beforeCommit(boolean readOnly) {
                    outbox.enqueue(db, placed("1"));
                  }

                  @Override
                  public void beforeCompletion() {
                    outbox.enqueue(db, placed("2"));
                  }
                }));
    assertThat(test.keys()).containsExactly("1", "2");
  }

  @Test
  void aTransactionOfItsOwnAfterTheCommitIsAccepted() {
    TransactionTemplate own = template(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(db, placed("0"));
          TransactionSynchronizationManager.registerSynchronization(
              new TransactionSynchronization() {
                @Override
                public void afterCommit() {
                  own.executeWithoutResult(
                      inner -> {
                        outbox.enqueue(db, placed("1"));
                        outbox.enqueue(springs(), placed("2"));
                      });
                  refusedTooLate("afterCommit", () -> outbox.enqueue(db, placed("late")));
                }

                @Override
                public void afterCompletion(int completion) {
                  own.executeWithoutResult(inner -> outbox.enqueue(db, placed("3")));
                }
              });
        });
    assertThat(test.keys()).containsExactly("0", "1", "2", "3");
  }

  @Test
  void aMethodThatJoinsAFinishedTransactionIsRefusedAndOneThatBeginsItsOwnIsNot() {
    Annotated joining = new Annotated(manager, TransactionDefinition.PROPAGATION_REQUIRED);
    Annotated beginning = new Annotated(manager, TransactionDefinition.PROPAGATION_REQUIRES_NEW);
    transaction.executeWithoutResult(
        status ->
            TransactionSynchronizationManager.registerSynchronization(
                new TransactionSynchronization() {
                  @Override
                  public void afterCommit() {
                    call(
                        joining,
                        () -> refusedTooLate("afterCommit", () -> outbox.enqueue(db, placed("1"))));
                    call(beginning, () -> outbox.enqueue(db, placed("2")));
                  }

                  @Override
                  public void afterCompletion(int completion) {
                    call(
                        joining,
                        () ->
                            refusedTooLate(
                                "afterCompletion", () -> outbox.enqueue(db, placed("3"))));
                    call(beginning, () -> outbox.enqueue(db, placed("4")));
                  }
                }));
    assertThat(test.keys()).containsExactly("2", "4");
  }

  /** A template tells nobody whether it joined; its end does. */
  @Test
  void aTemplateThatJoinsAFinishedTransactionFailsAtItsEnd() {
    List<Throwable> thrown = new ArrayList<>();
    transaction.executeWithoutResult(
        status ->
            TransactionSynchronizationManager.registerSynchronization(
                new TransactionSynchronization() {
                  @Override
                  public void afterCompletion(int completion) {
                    thrown.add(
                        catchThrowable(
                            () ->
                                transaction.executeWithoutResult(
                                    inner -> outbox.enqueue(db, placed("1")))));
                  }
                }));
    assertThat(thrown.get(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("over");
    assertThat(test.keys()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aReadOnlyTransactionIsRefusedBeforeAnySqlAndGoesOn(boolean joinedByAWriter) {
    TransactionTemplate reading = template(TransactionDefinition.PROPAGATION_REQUIRED);
    reading.setReadOnly(true);
    reading.executeWithoutResult(
        status -> {
          Runnable attempt =
              () -> {
                refused("read-only", () -> outbox.enqueue(db, placed("1")));
                refused("read-only", () -> outbox.enqueue(springs(), placed("1").dedupKey("d")));
                refused("read-only", () -> outbox.cancel(db, UUID.randomUUID()));
              };
          if (joinedByAWriter) {
            transaction.executeWithoutResult(inner -> attempt.run());
          } else {
            attempt.run();
          }
          assertThat(new JdbcTemplate(pool).queryForObject("select 1", Integer.class)).isEqualTo(1);
          template(TransactionDefinition.PROPAGATION_REQUIRES_NEW)
              .executeWithoutResult(inner -> outbox.enqueue(db, placed("own")));
        });
    assertThat(test.keys()).containsExactly("own");
  }

  @Test
  void aContextOnAnotherConnectionThanTheTransactionsIsRefused() {
    DSLContext unaware = jooq(pool);
    refusedInside(transaction, unaware);

    try (HikariDataSource other = pool()) {
      DSLContext others = jooq(new TransactionAwareDataSourceProxy(other));
      transaction.executeWithoutResult(
          status -> {
            new JdbcTemplate(other).queryForList("select 1");
            refused("not that of Spring's", () -> outbox.enqueue(others, placed("1")));
            outbox.enqueue(db, placed("kept"));
          });
    }
    assertThat(test.keys()).containsExactly("kept");
  }

  /** Such as Kafka's or Spring Batch's, which commit something else. */
  @Test
  void aTransactionManagerWithoutDatabaseIsRefused() {
    refusedInside(new TransactionTemplate(new Resourceless()), db);
  }

  @Test
  void proxiesAroundTheConnectionAreSeenThrough() {
    DataSource lazy = new LazyConnectionDataSourceProxy(pool);
    TransactionTemplate lazily = new TransactionTemplate(new DataSourceTransactionManager(lazy));
    lazily.executeWithoutResult(
        status -> outbox.enqueue(jooq(new TransactionAwareDataSourceProxy(lazy)), placed("1")));
    transaction.executeWithoutResult(
        status ->
            outbox.enqueue(
                jooq(new LazyConnectionDataSourceProxy(new TransactionAwareDataSourceProxy(pool))),
                placed("2")));
    assertThat(test.keys()).containsExactly("1", "2");
  }

  /** As JpaTransactionManager exposes its entity manager's connection. */
  @Test
  void aConnectionThatAnotherManagerExposesIsAccepted() {
    new TransactionTemplate(new Exposing(pool))
        .executeWithoutResult(
            status -> {
              outbox.enqueue(db, placed("1"));
              outbox.enqueue(springs(), placed("2"));
            });
    assertThat(test.keys()).containsExactly("1", "2");
  }

  @Test
  void aManagerWithoutSynchronizationIsAccepted() {
    manager.setTransactionSynchronization(AbstractPlatformTransactionManager.SYNCHRONIZATION_NEVER);
    transaction.executeWithoutResult(status -> outbox.enqueue(db, placed("1")));
    refused("in no transaction", () -> outbox.enqueue(db, placed("2")));
    assertThat(test.keys()).containsExactly("1");
  }

  @Test
  void aConnectionOfTheCallersOwnInsideASpringTransactionIsHis() {
    transaction.executeWithoutResult(
        status -> {
          try (Connection own = pool.getConnection()) {
            outbox.enqueue(own, placed("1"));
            own.commit();
          } catch (java.sql.SQLException e) {
            throw new IllegalStateException(e);
          }
          status.setRollbackOnly();
        });
    jooq(pool).transaction(work -> outbox.enqueue(work.dsl(), placed("2")));
    assertThat(test.keys()).containsExactly("1", "2");
  }

  @Test
  void eachTransactionOfAThreadWakesOnceAlsoWhenOneIsSuspended() {
    AtomicInteger wakeups = new AtomicInteger();
    outbox.onWake(wakeups::incrementAndGet);
    transaction.executeWithoutResult(
        status -> {
          outbox.enqueue(db, placed("1"));
          template(TransactionDefinition.PROPAGATION_REQUIRES_NEW)
              .executeWithoutResult(
                  inner -> {
                    outbox.enqueue(db, placed("2"));
                    outbox.enqueue(db, placed("3"));
                  });
          assertThat(wakeups).hasValue(1);
          outbox.enqueue(db, placed("4"));
        });
    assertThat(wakeups).hasValue(2);
    assertThat(TransactionSynchronizationManager.getResourceMap()).isEmpty();
  }

  private void refusedInside(TransactionTemplate around, DSLContext context) {
    around.executeWithoutResult(
        status -> {
          refused("not that of Spring's", () -> outbox.enqueue(context, placed("1")));
          refused("not that of Spring's", () -> outbox.enqueueAll(context, List.of(placed("1"))));
        });
    assertThat(test.keys()).isEmpty();
  }

  private void joined(Runnable work, String phase) {
    transaction.executeWithoutResult(status -> refusedTooLate(phase, work));
  }

  private static void refusedTooLate(String phase, Runnable work) {
    assertThatThrownBy(work::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("Spring's transaction is over")
        .hasMessageContaining(phase)
        .hasMessageContaining("REQUIRES_NEW");
  }

  private static void refused(String text, Runnable work) {
    assertThatThrownBy(work::run)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(text);
  }

  /** The thread's connection, as plain JDBC code gets it. */
  private Connection springs() {
    return DataSourceUtils.getConnection(pool);
  }

  private TransactionTemplate template(int propagation) {
    TransactionTemplate made = new TransactionTemplate(manager);
    made.setPropagationBehavior(propagation);
    return made;
  }

  private static DSLContext jooq(DataSource dataSource) {
    return DSL.using(new DataSourceConnectionProvider(dataSource), SQLDialect.POSTGRES);
  }

  private static void call(Annotated method, Runnable body) {
    method.call(
        () -> {
          body.run();
          return null;
        });
  }

  private static Message placed(String id) {
    return Message.to("kafka:orders").key(id).type("order.placed").text(id);
  }

  private HikariDataSource pool() {
    HikariDataSource created = new HikariDataSource();
    created.setDataSource(test.dataSource());
    created.setAutoCommit(false);
    created.setMaximumPoolSize(5);
    return created;
  }

  /** What {@code @Transactional} does around a method. */
  private static final class Annotated extends TransactionAspectSupport {
    Annotated(PlatformTransactionManager manager, int propagation) {
      MatchAlwaysTransactionAttributeSource source = new MatchAlwaysTransactionAttributeSource();
      source.setTransactionAttribute(new DefaultTransactionAttribute(propagation));
      setTransactionManager(manager);
      setTransactionAttributeSource(source);
    }

    void call(Callable<?> body) {
      try {
        invokeWithinTransaction(
            Callable.class.getMethod("call"), Callable.class, (InvocationCallback) body::call);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }
  }

  private static class Resourceless extends AbstractPlatformTransactionManager {
    private static final long serialVersionUID = 1L;

    @Override
    protected Object doGetTransaction() {
      return new Object();
    }

    @Override
    protected void doBegin(Object begun, TransactionDefinition definition) {}

    @Override
    protected void doCommit(DefaultTransactionStatus status) {}

    @Override
    protected void doRollback(DefaultTransactionStatus status) {}
  }

  private static final class Exposing extends Resourceless {
    private static final long serialVersionUID = 1L;

    private final transient DataSource dataSource;

    Exposing(DataSource dataSource) {
      this.dataSource = dataSource;
    }

    @Override
    protected void doBegin(Object begun, TransactionDefinition definition) {
      try {
        TransactionSynchronizationManager.bindResource(
            dataSource, new ConnectionHolder(dataSource.getConnection()));
      } catch (java.sql.SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    protected void doCommit(DefaultTransactionStatus status) {
      ConnectionHolder holder =
          (ConnectionHolder) TransactionSynchronizationManager.getResource(dataSource);
      try {
        holder.getConnection().commit();
      } catch (java.sql.SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    protected void doCleanupAfterCompletion(Object ended) {
      ConnectionHolder holder =
          (ConnectionHolder) TransactionSynchronizationManager.unbindResource(dataSource);
      try {
        holder.getConnection().close();
      } catch (java.sql.SQLException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
