package dev.twinbox.kafka.consumer;

import dev.twinbox.inbox.KilledProcess;
import java.util.concurrent.CountDownLatch;

/** A consumer as a process of its own, which one message kills. */
public final class KafkaConsumerProcess {
  private KafkaConsumerProcess() {}

  public static void main(String[] arguments) throws Exception {
    String topic = KilledProcess.source(arguments);
    KafkaInboxConsumer.builder()
        .development()
        .inbox(KilledProcess.inbox(arguments))
        .handler(KilledProcess.handler(arguments))
        .topics(topic)
        .property("bootstrap.servers", KilledProcess.address(arguments))
        .property("group.id", topic)
        // A dead member is noticed soon.
        .property("session.timeout.ms", 6_000)
        .build()
        .start();
    new CountDownLatch(1).await();
  }
}
