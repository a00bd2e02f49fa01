package dev.twinbox.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Messages;
import dev.twinbox.inbox.Receipt;
import dev.twinbox.inbox.Receiver;
import dev.twinbox.testkit.JavaProcess;
import dev.twinbox.testkit.TestRedis;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FrozenOwnerTest {
  @TempDir Path folder;

  @Test
  void anOwnerThatIsFrozenBeyondItsLeaseChangesNothingInRedis() {
    run(5);
  }

  @Test
  @Tag("long")
  void fiftyOwnersThatAreFrozenBeyondTheirLeaseChangeNothingInRedis() {
    run(50);
  }

  private void run(int messages) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < messages; i++) {
      ids.add(Messages.id());
    }
    try (TestRedis redis = TestRedis.start();
        InboxFixture fixture = new InboxFixture(redis)) {
      List<String> arguments =
          new ArrayList<>(List.of(Integer.toString(redis.port()), fixture.consumer));
      arguments.addAll(ids);
      AtomicLong fence = new AtomicLong();
      Receiver next =
          fixture
              .inbox()
              .lease(Duration.ofSeconds(1))
              .build()
              .exactlyOnceInRedis(
                  (delivery, work) -> {
                    fence.set(work.fence());
                    fixture.count(delivery, work);
                  });
      try (JavaProcess owner =
          JavaProcess.of(FrozenOwnerProcess.class.getName(), folder.resolve("log"))
              .options("-Xmx100m")
              .arguments(arguments.toArray(String[]::new))
              .start()) {
        for (String id : ids) {
          Delivery delivery = Delivery.builder().id(id).type("t").origin("test:next").build();
          await().until(() -> fixture.client.get("began:" + id) != null);
          owner.pause();
          await().until(() -> InboxFixture.receive(next, delivery) instanceof Receipt.Processed);
          fixture.client.set("go:" + id, "1");
          owner.resume();

          await().until(() -> fixture.client.get("receipt:" + id) != null);
          assertThat(fixture.client.get("receipt:" + id)).isEqualTo("Held");
          assertThat(fixture.effects(delivery)).isEqualTo("1");
          assertThat(fence.get()).isGreaterThan(began(fixture, id));
        }
      }
    }
  }

  private static long began(InboxFixture fixture, String id) {
    return Long.parseLong(String.valueOf(fixture.client.get("began:" + id)));
  }
}
