package dev.twinbox.cli.memory;

import dev.twinbox.contract.BrokerUnderTest;
import dev.twinbox.contract.PublisherContract;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class MemoryPublisherTest extends PublisherContract {
  private static MemoryUnderTest server;

  @BeforeAll
  static void start() {
    server = new MemoryUnderTest();
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
