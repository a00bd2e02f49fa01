package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.boot.MetadataSources;
import org.hibernate.boot.registry.StandardServiceRegistryBuilder;
import org.hibernate.cfg.AvailableSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class HibernateTransactionTest {
  private final TestOutbox test = new TestOutbox();
  private final Outbox outbox = Outbox.builder().source("/shop").build();
  private final SessionFactory sessions =
      new MetadataSources(
              new StandardServiceRegistryBuilder()
                  .applySettings(
                      Map.of(
                          AvailableSettings.JAKARTA_NON_JTA_DATASOURCE,
                          test.dataSource(),
                          AvailableSettings.DIALECT,
                          "org.hibernate.dialect.PostgreSQLDialect"))
                  .build())
          .buildMetadata()
          .buildSessionFactory();

  @AfterEach
  void close() {
    sessions.close();
  }

  @Test
  void aCommitKeepsTheMessage() {
    sessions.inTransaction(
        session -> {
          order(session, "1");
          session.doWork(connection -> outbox.enqueue(connection, placed("1")));
          assertThat(test.keys()).as("before the commit").isEmpty();
        });
    assertThat(test.keys()).isEqualTo(test.orders()).containsExactly("1");
  }

  @Test
  void aRollbackTakesTheMessageWithIt() {
    try (Session session = sessions.openSession()) {
      session.beginTransaction();
      order(session, "1");
      session.doWork(connection -> outbox.enqueue(connection, placed("1")));
      session.getTransaction().rollback();
    }
    assertThat(test.keys()).isEqualTo(test.orders()).isEmpty();
  }

  @Test
  void aRolledBackSavepointTakesItsMessagesWithIt() {
    sessions.inTransaction(
        session ->
            session.doWork(
                connection -> {
                  outbox.enqueue(connection, placed("1"));
                  var savepoint = connection.setSavepoint();
                  outbox.enqueue(connection, placed("2"));
                  connection.rollback(savepoint);
                }));
    assertThat(test.keys()).containsExactly("1");
  }

  private static void order(Session session, String id) {
    session
        .createNativeMutationQuery("insert into orders values (:id)")
        .setParameter("id", id)
        .executeUpdate();
  }

  private static Message placed(String id) {
    return Message.to("kafka:orders").key(id).type("order.placed").text(id);
  }
}
