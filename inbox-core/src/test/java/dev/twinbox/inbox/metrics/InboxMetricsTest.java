package dev.twinbox.inbox.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.inbox.Delivery;
import dev.twinbox.inbox.Inbox;
import dev.twinbox.inbox.InboxDatabase;
import dev.twinbox.inbox.Messages;
import dev.twinbox.inbox.UnprocessableException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** A consumer's meters follow what becomes of its messages. */
class InboxMetricsTest {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void whatBecomesOfDeliveriesIsCounted() {
    try (InboxDatabase database = InboxDatabase.create()) {
      Inbox inbox = database.inbox("billing").build();
      Delivery good = Messages.delivery();
      Delivery bad = Messages.delivery();
      Delivery slow = Messages.delivery();
      try (InboxMetrics metrics = new InboxMetrics(inbox, () -> Map.of("orders-0", 7L))) {
        metrics.bindTo(registry);

        inbox.receiveAll(
            List.of(good, bad, slow),
            (delivery, work) -> {
              if (delivery.equals(bad)) {
                throw new UnprocessableException("never");
              }
              if (delivery.equals(slow)) {
                throw new IllegalStateException("not now");
              }
            });
        inbox.receive(good, (delivery, work) -> {});

        assertThat(received("processed")).isEqualTo(1);
        assertThat(received("duplicate")).isEqualTo(1);
        assertThat(received("quarantined")).isEqualTo(1);
        assertThat(received("failed")).isEqualTo(1);
        assertThat(registry.get("twinbox.inbox.batch.size").summary().totalAmount()).isEqualTo(4);
        assertThat(registry.get("twinbox.inbox.batch").timer().count()).isEqualTo(2);
        assertThat(registry.get("twinbox.inbox.handler").timer().count()).isGreaterThanOrEqualTo(3);
        await()
            .untilAsserted(
                () ->
                    assertThat(registry.find("twinbox.inbox.lag").tag("source", "orders-0").gauge())
                        .isNotNull()
                        .satisfies(gauge -> assertThat(gauge.value()).isEqualTo(7)));
      }
    }
  }

  private double received(String outcome) {
    return registry
        .get("twinbox.inbox.received")
        .tags("consumer", "billing", "outcome", outcome)
        .counter()
        .count();
  }

  @Test
  void withoutMicrometerAnInboxWorks() throws Exception {
    URL[] urls =
        Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
            .filter(entry -> !entry.contains("micrometer"))
            .map(InboxMetricsTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
      Callable<?> user =
          (Callable<?>) loader.loadClass(User.class.getName()).getConstructor().newInstance();
      assertThat(user.call()).isEqualTo("billing without Micrometer");
    }
  }

  private static URL url(String entry) {
    try {
      return Path.of(entry).toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Seen from the other class path. */
  public static final class User implements Callable<String> {
    @Override
    public String call() {
      Inbox inbox =
          Inbox.builder()
              .dataSource(new org.postgresql.ds.PGSimpleDataSource())
              .consumer("billing")
              .build();
      try {
        Class.forName("io.micrometer.core.instrument.MeterRegistry");
        return "Micrometer is there";
      } catch (ClassNotFoundException e) {
        return inbox.consumer() + " without Micrometer";
      }
    }
  }
}
