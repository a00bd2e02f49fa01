package dev.twinbox.relay;

import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.kafka.publisher.KafkaUnderTest;
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
    server.close();
  }

  @Override
  protected BrokerUnderTest server() {
    return server;
  }
}
