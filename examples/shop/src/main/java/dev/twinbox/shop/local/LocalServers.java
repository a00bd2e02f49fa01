package dev.twinbox.shop.local;

import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestKafka;
import dev.twinbox.testkit.TestPostgres;
import dev.twinbox.testkit.TestRabbit;
import java.util.List;

/** PostgreSQL, Kafka and RabbitMQ on free ports, until closed. */
final class LocalServers implements AutoCloseable {
  private final TestPostgres postgres;
  private final TestDatabase database;
  private final TestKafka kafka;
  private final TestRabbit rabbit;

  private LocalServers(TestPostgres postgres, TestKafka kafka, TestRabbit rabbit) {
    this.postgres = postgres;
    this.database = postgres.createDatabase();
    this.kafka = kafka;
    this.rabbit = rabbit;
  }

  /**
   * @throws IllegalStateException when RabbitMQ is not installed; says how to install it
   */
  static LocalServers start() {
    // First what may be missing on this machine.
    TestRabbit rabbit = TestRabbit.start();
    return new LocalServers(TestPostgres.start(), TestKafka.start(), rabbit);
  }

  /** Where they are, as Spring Boot's properties. */
  List<String> properties() {
    return List.of(
        "spring.datasource.url=" + database.jdbcUrl(),
        "spring.datasource.username=" + database.user(),
        "spring.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
        "spring.rabbitmq.addresses=" + rabbit.uri());
  }

  @Override
  public void close() {
    kafka.close();
    rabbit.close();
    postgres.close();
  }
}
