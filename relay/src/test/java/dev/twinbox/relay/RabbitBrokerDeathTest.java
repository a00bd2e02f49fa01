package dev.twinbox.relay;

import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.rabbitmq.publisher.RabbitUnderTest;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class RabbitBrokerDeathTest extends BrokerDeathContract {
  private static RabbitUnderTest server;

  @BeforeAll
  static void start() throws Exception {
    server = new RabbitUnderTest();
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
