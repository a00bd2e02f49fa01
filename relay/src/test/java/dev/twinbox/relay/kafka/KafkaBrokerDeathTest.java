package dev.twinbox.relay.kafka;

import dev.twinbox.relay.BrokerDeathContract;
import dev.twinbox.broker.BrokerUnderTest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class KafkaBrokerDeathTest extends BrokerDeathContract {
  private static KafkaUnderTest server;

  @BeforeAll
  static void start() {
    server = new KafkaUnderTest();
  }

  @AfterAll
  static void stop() {
    server.kafka.close();
  }

  @Override
  protected BrokerUnderTest server() {
    return server;
  }
}
