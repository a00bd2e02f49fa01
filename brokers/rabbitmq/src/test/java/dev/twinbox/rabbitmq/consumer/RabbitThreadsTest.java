package dev.twinbox.rabbitmq.consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.AddressResolver;
import com.rabbitmq.client.ConnectionFactory;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.doctor.StartGate;
import dev.twinbox.testkit.TestRabbit;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Interrupts and errors where nobody expects them: the threads go on. */
class RabbitThreadsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final InboxDatabase database = InboxDatabase.create();
  private final TestQueue queue = new TestQueue();
  private final Inbox inbox = database.inbox("threads").build();
  private final AtomicInteger connections = new AtomicInteger();

  @AfterEach
  void close() throws Exception {
    queue.close();
    database.close();
  }

  @Test
  void errorsOfTheUsersFactoryAndOfTheGateAndInterruptsEndNoThread() {
    AtomicInteger looks = new AtomicInteger();
    StartGate gate =
        new StartGate(
            "Consumer threads",
            () -> {
              if (looks.incrementAndGet() == 1) {
                throw new NoClassDefFoundError("of an examination (a test's)");
              }
              return List.of();
            });
    RabbitSession session =
        new RabbitSession(
            gate,
            factory(),
            List.of(new Address(TestRabbit.shared().host(), TestRabbit.shared().port())),
            inbox.receiver(InboxDatabase::effect),
            queue.name(),
            10,
            10,
            1);
    session.start();
    try {
      queue.send("k");
      await().atMost(PATIENCE).until(() -> database.effects().size() == 1);
      int before = connections.get();

      for (String name : List.of("-connection", "rabbitmq-1")) {
        thread(name).interrupt();
        queue.send("k");
      }
      await().atMost(PATIENCE).until(() -> database.effects().size() == 3);
      await()
          .during(Duration.ofSeconds(2))
          .atMost(PATIENCE)
          .until(() -> connections.get() <= before + 1);
      assertThat(thread("-connection").getState()).isNotEqualTo(Thread.State.RUNNABLE);
    } finally {
      session.close(System.nanoTime() + Duration.ofSeconds(5).toNanos());
    }
  }

  private ConnectionFactory factory() {
    ConnectionFactory users =
        new ConnectionFactory() {
          @Override
          protected AddressResolver createAddressResolver(List<Address> addresses) {
            if (connections.incrementAndGet() == 1) {
              throw new OutOfMemoryError("unable to create native thread (a test's)");
            }
            return super.createAddressResolver(addresses);
          }
        };
    ConnectionFactory given = TestRabbit.shared().connectionFactory();
    users.setHost(given.getHost());
    users.setPort(given.getPort());
    users.setUsername(given.getUsername());
    users.setPassword(given.getPassword());
    users.setVirtualHost(given.getVirtualHost());
    return users;
  }

  private static Thread thread(String suffix) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().startsWith("twinbox-inbox-threads-"))
        .filter(each -> each.getName().endsWith(suffix))
        .findAny()
        .orElseThrow();
  }
}
