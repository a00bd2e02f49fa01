package dev.twinbox.redis;

import static dev.twinbox.inbox.Messages.delivery;
import static dev.twinbox.redis.InboxFixture.receive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.BackgroundWork;
import dev.twinbox.inbox.DatabaseUnavailableException;
import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.inbox.UnprocessableException;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestRedis;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RedisFaultsTest {
  private static final Receipt PROCESSED = new Receipt.Processed();
  private static final Receipt DUPLICATE = new Receipt.Duplicate();

  @Test
  void anAnswerThatIsLostAfterTheEffectRepeatsNothingAndCountsNoAttempt() {
    try (TestRedis redis = TestRedis.start();
        FaultProxy proxy = FaultProxy.to("127.0.0.1", redis.port());
        InboxFixture direct = new InboxFixture(redis);
        InboxFixture fixture = new InboxFixture(URI.create("redis://127.0.0.1:" + proxy.port()))) {
      List<Delivery> seen = new ArrayList<>();
      Receiver receiver =
          fixture
              .inbox()
              .build()
              .exactlyOnceInRedis(
                  (d, work) -> {
                    if (seen.isEmpty()) {
                      proxy.dropResponses();
                    }
                    seen.add(d);
                    fixture.count(d, work);
                  });
      Delivery delivery = delivery();
      receive(direct.counting(), delivery()); // Redis knows the scripts now
      assertThatThrownBy(() -> receive(receiver, delivery))
          .isInstanceOf(DatabaseUnavailableException.class);
      proxy.restore();

      await().ignoreExceptions().until(() -> receive(receiver, delivery.again()).equals(DUPLICATE));
      assertThat(direct.effects(delivery)).isEqualTo("1");
      assertThat(seen).hasSize(1);
    }
  }

  @Test
  void anOutageBeforeTheEffectCountsNoAttempt() {
    try (TestRedis redis = TestRedis.start();
        FaultProxy proxy = FaultProxy.to("127.0.0.1", redis.port());
        InboxFixture fixture = new InboxFixture(URI.create("redis://127.0.0.1:" + proxy.port()))) {
      Receiver receiver =
          fixture
              .inbox()
              .build()
              .exactlyOnceInRedis(
                  (d, work) -> {
                    if (!d.redelivered()) {
                      proxy.refuse();
                      proxy.cut();
                    }
                    fixture.count(d, work);
                  });
      Delivery delivery = delivery();
      for (int i = 0; i < 5; i++) { // more often than there are attempts
        assertThatThrownBy(() -> receive(receiver, delivery))
            .isInstanceOf(DatabaseUnavailableException.class);
        proxy.accept();
        await().ignoreExceptions().until(() -> fixture.client.ping().equals("PONG"));
      }
      assertThat(receive(receiver, delivery.again())).isEqualTo(PROCESSED);
      assertThat(fixture.effects(delivery)).isEqualTo("1");
    }
  }

  @Test
  void aRedriveThatAnOutageEndsIsNotForgotten() {
    try (TestRedis redis = TestRedis.start();
        FaultProxy proxy = FaultProxy.to("127.0.0.1", redis.port());
        InboxFixture fixture = new InboxFixture(URI.create("redis://127.0.0.1:" + proxy.port()))) {
      AtomicInteger calls = new AtomicInteger();
      RedisInbox inbox = fixture.inbox().build();
      Receiver receiver =
          inbox.exactlyOnceInRedis(
              (d, work) -> {
                int call = calls.getAndIncrement();
                if (call == 0) {
                  throw new UnprocessableException("no");
                }
                if (call == 1) {
                  proxy.refuse();
                  proxy.cut();
                }
                fixture.count(d, work);
              });
      Delivery delivery = delivery();
      receive(receiver, delivery);
      inbox.quarantine().redrive(inbox.quarantine().list(1).get(0).number());
      BackgroundWork background = receiver.backgroundWork();
      background.start();
      try {
        await().until(() -> calls.get() == 2);
        proxy.accept();
        receiveUntilAnswered(receiver);
        await()
            .atMost(Duration.ofMinutes(2))
            .ignoreExceptions()
            .until(() -> inbox.quarantine().count() == 0);
        assertThat(fixture.effects(delivery)).isEqualTo("1");
      } finally {
        background.close(Duration.ofSeconds(10));
      }
    }
  }

  /** What an outage cut short is given back with the next batch, which is the consumer's. */
  private static void receiveUntilAnswered(Receiver receiver) {
    await()
        .atMost(Duration.ofMinutes(1))
        .ignoreExceptions()
        .until(() -> receive(receiver, delivery()).settled());
  }

  @Test
  void aDuplicateOfWhatNoReplicaConfirmedIsNotAcknowledgedEither() {
    try (TestRedis primary = TestRedis.start();
        TestRedis replica = TestRedis.replicaOf(primary);
        InboxFixture fixture = new InboxFixture(primary)) {
      Receiver receiver =
          fixture
              .inbox()
              .waitForReplicas(1, Duration.ofMillis(500))
              .build()
              .exactlyOnceInRedis(fixture::count);
      receive(receiver, delivery());
      Delivery delivery = delivery();
      replica.pause();
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> receive(receiver, delivery))
            .isInstanceOf(DatabaseUnavailableException.class)
            .hasMessageContaining("replicas have confirmed");
      }
      replica.resume();
      await().ignoreExceptions().until(() -> receive(receiver, delivery).equals(DUPLICATE));
      assertThat(fixture.effects(delivery)).isEqualTo("1");
    }
  }

  @Test
  void whatRedisConfirmedSurvivesItsKill() {
    try (TestRedis redis = TestRedis.start();
        InboxFixture fixture = new InboxFixture(redis)) {
      Delivery delivery = delivery();
      assertThat(receive(fixture.counting(), delivery)).isEqualTo(PROCESSED);
      redis.restart();
      await()
          .ignoreExceptions()
          .until(() -> receive(fixture.counting(), delivery.again()).equals(DUPLICATE));
      assertThat(fixture.effects(delivery)).isEqualTo("1");
    }
  }

  @Test
  void aFailoverWithoutTheNewestWritesLosesRecordAndEffectInRedisTogether() {
    try (TestRedis primary = TestRedis.start();
        TestRedis replica = TestRedis.replicaOf(primary);
        InboxFixture before = new InboxFixture(primary);
        InboxFixture after = new InboxFixture(replica)) {
      List<Long> elsewhere = new ArrayList<>();
      MessageHandler<RedisWork> handler =
          (d, work) -> {
            elsewhere.add(work.fence());
            before.count(d, work);
          };
      Delivery delivery = delivery();
      // As if it had been cut off, and elected then.
      replica.promote();
      assertThat(receive(before.inbox().build().exactlyOnceInRedis(handler), delivery))
          .isEqualTo(PROCESSED);
      assertThatThrownBy(
              () ->
                  receive(
                      before
                          .inbox()
                          .waitForReplicas(1, Duration.ofMillis(200))
                          .build()
                          .exactlyOnceInRedis(before::count),
                      delivery()))
          .isInstanceOf(DatabaseUnavailableException.class)
          .hasMessageContaining("0 of 1 replicas");
      primary.kill();

      RedisInbox same = after.inbox().consumer(before.consumer).build();
      assertThat(receive(same.exactlyOnceInRedis(handler), delivery.again())).isEqualTo(PROCESSED);
      assertThat(after.effects(delivery)).isEqualTo("1");
      assertThat(elsewhere).hasSize(2);
      assertThat(elsewhere.get(1)).isGreaterThan(elsewhere.get(0));
    }
  }

  @Test
  void anEvictedRecordLetsItsMessageTakeEffectAgainUnderAHigherFence() {
    try (TestRedis redis =
            TestRedis.start(
                "--maxmemory", "4mb", "--maxmemory-policy", "volatile-ttl", "--appendonly", "no");
        InboxFixture fixture = new InboxFixture(redis)) {
      List<Long> fences = new ArrayList<>();
      Receiver receiver =
          fixture.inbox().build().atLeastOnce((d, work) -> fences.add(work.fence()));
      Delivery delivery = delivery();
      receive(receiver, delivery);
      for (int i = 0; fixture.client.exists(fixture.key(delivery)) && i < 100; i++) {
        fixture.client.setex("filler-" + i, 1_000_000, "x".repeat(100_000));
      }
      assertThat(receive(receiver, delivery.again())).isEqualTo(PROCESSED);
      assertThat(fences.get(1)).isGreaterThan(fences.get(0));
    }
  }

  @Test
  void aFullRedisIsWaitedForAndCountsNothing() {
    try (TestRedis redis = TestRedis.start();
        InboxFixture fixture = new InboxFixture(redis)) {
      Receiver receiver = fixture.counting();
      receive(receiver, delivery());
      Delivery delivery = delivery();
      redis.cli("config", "set", "maxmemory", "1");
      assertThatThrownBy(() -> receive(receiver, delivery))
          .isInstanceOf(DatabaseUnavailableException.class)
          .hasMessageContaining("OOM");
      redis.cli("config", "set", "maxmemory", "0");
      assertThat(receive(receiver, delivery)).isEqualTo(PROCESSED);
    }
  }

  @Test
  void aBatchOfFiveHundredTakesTwoRoundTrips() {
    try (TestRedis redis = TestRedis.start();
        FaultProxy proxy = FaultProxy.to("127.0.0.1", redis.port());
        InboxFixture fixture = new InboxFixture(URI.create("redis://127.0.0.1:" + proxy.port()))) {
      Receiver receiver = fixture.counting();
      receive(receiver, delivery());
      List<Delivery> batch = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        batch.add(delivery());
      }
      proxy.delay(Duration.ofMillis(200));
      long began = System.nanoTime();
      assertThat(receive(receiver, batch)).containsOnly(PROCESSED);
      // One by one it would be more than 6 minutes.
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofMinutes(1));
    }
  }
}
