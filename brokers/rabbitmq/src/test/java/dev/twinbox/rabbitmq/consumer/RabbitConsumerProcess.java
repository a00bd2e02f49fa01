package dev.twinbox.rabbitmq.consumer;

import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.inbox.KilledProcess;
import java.util.concurrent.CountDownLatch;

/** A consumer as a process of its own, which one message kills. */
public final class RabbitConsumerProcess {
  private RabbitConsumerProcess() {}

  public static void main(String[] arguments) throws Exception {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri(KilledProcess.address(arguments));
    RabbitInboxConsumer.builder()
        .inbox(KilledProcess.inbox(arguments))
        .handler(KilledProcess.handler(arguments))
        .queue(KilledProcess.source(arguments))
        .connectionFactory(factory)
        .build()
        .start();
    new CountDownLatch(1).await();
  }
}
