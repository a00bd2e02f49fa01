package dev.twinbox.relay.kafka;

import dev.twinbox.relay.BlockedKeyContract;
import dev.twinbox.broker.BrokerUnderTest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class KafkaBlockedKeyTest extends BlockedKeyContract {
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
