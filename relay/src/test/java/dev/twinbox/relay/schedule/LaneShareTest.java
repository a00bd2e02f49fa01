package dev.twinbox.relay.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.OutboxDatabase;
import dev.twinbox.relay.store.Pipeline;
import dev.twinbox.relay.store.RelayRegistry;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which relays live, as the others see it. */
class LaneShareTest {
  private final OutboxDatabase database = new OutboxDatabase(100, 4);
  private final ThreadLocal<Boolean> isHeldUp = ThreadLocal.withInitial(() -> false);
  private final CountDownLatch reached = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  private final LaneShare share =
      new LaneShare(
          new RelayRegistry(
              new Pipeline(heldUp(), 10_000), OutboxDatabase.TABLES, Duration.ofSeconds(10)),
          "one",
          List::of,
          new RelayClock(InstantSource.system()));

  @AfterEach
  void close() {
    database.close();
  }

  @Test
  void aRelayThatHasLeftDoesNotLiveByAHeartbeatThatWasUnderWay() throws Exception {
    share.refresh();
    assertThat(living()).isOne();
    CompletableFuture<Void> heartbeat =
        CompletableFuture.runAsync(
            () -> {
              isHeldUp.set(true);
              share.refresh();
              isHeldUp.set(false);
            });
    assertThat(reached.await(20, TimeUnit.SECONDS)).isTrue();

    CompletableFuture<Void> leaving = CompletableFuture.runAsync(share::leave);
    try {
      leaving.get(1, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      // It may wait for the heartbeat.
    }
    goOn.countDown();
    heartbeat.join();
    leaving.join();

    assertThat(living()).isZero();
  }

  @Test
  void noHeartbeatComesAfterARelayHasLeft() throws SQLException {
    share.refresh();
    share.leave();

    share.refresh();

    assertThat(living()).isZero();
  }

  private long living() throws SQLException {
    return database.number("select count(*) from twinbox.outbox_relay where relay = 'one'");
  }

  /** Before the statement is sent. */
  private DataSource heldUp() {
    return (DataSource)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> {
              if (isHeldUp.get()) {
                reached.countDown();
                assertThat(goOn.await(20, TimeUnit.SECONDS)).isTrue();
              }
              return database.dataSource().getConnection();
            });
  }
}
