package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.PostgresVersion;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class ProducerRoleTest {
  /** Column INSERT, USAGE on the sequence and two SELECTs are all that enqueue needs. */
  @ParameterizedTest
  @EnumSource(PostgresVersion.class)
  void theLeastPrivilegedProducerCanUseEveryFeature(PostgresVersion version) throws Exception {
    TestDatabase database = TestPostgres.shared(version).createDatabase();
    Migrations migrations = Migrations.defaults().schema("Twin-Box");
    migrations.applyTo(database.dataSource());
    String role = "Producer-" + database.name();
    try (Connection owner = database.dataSource().getConnection();
        Statement statement = owner.createStatement()) {
      statement.execute("create role \"" + role + "\" login");
    }
    migrations.grantProducer(database.dataSource(), role);
    Outbox outbox = Outbox.builder().schema("Twin-Box").source("/shop").build();
    Message message = Message.to("kafka:orders").key("k").type("t").text("x");

    try (Connection connection = database.dataSource(role).getConnection()) {
      connection.setAutoCommit(false);
      outbox.enqueue(connection, message);
      outbox.enqueue(connection, message.ordered().ttl(Duration.ofDays(1)));
      outbox.enqueue(connection, message.delay(Duration.ofDays(1)));
      assertThat(outbox.enqueue(connection, message.dedupKey("d")).duplicate()).isFalse();
      assertThat(outbox.enqueue(connection, message.dedupKey("d")).duplicate()).isTrue();
      outbox.enqueueAll(
          connection,
          List.of(
              message,
              message.ordered(),
              message.delay(Duration.ofDays(1)),
              message.dedupKey("e")));
      connection.commit();
      Enqueued taken = outbox.enqueue(connection, message.delay(Duration.ofDays(1)));
      connection.commit();
      assertThat(outbox.cancel(connection, taken.id())).isTrue();
      connection.commit();
    }
    try (Connection owner = database.dataSource().getConnection();
        Statement statement = owner.createStatement();
        ResultSet result =
            statement.executeQuery(
                "select (select count(*) from \"Twin-Box\".outbox), (select count(*) from \"Twin-Box\".outbox_scheduled)")) {
      result.next();
      assertThat(result.getInt(1)).isEqualTo(6);
      assertThat(result.getInt(2)).isEqualTo(2);
    }
  }
}
