package dev.twinbox.kafka.consumer;

import dev.twinbox.kafka.doctor.KafkaExamination;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;

/**
 * An admin client by a consumer's settings, made when it is first asked for. Thread-safe, like the
 * client.
 */
final class ClusterClient implements AutoCloseable {
  private final Map<String, Object> settings;
  private @Nullable Admin admin;
  private boolean closed;

  ClusterClient(Map<String, Object> consumerProperties) {
    settings = KafkaExamination.adminSettings(consumerProperties, "twinbox-consumer-admin");
  }

  /**
   * The client.
   *
   * @throws RuntimeException when none can be made now
   */
  synchronized Admin get() {
    if (closed) {
      throw new IllegalStateException("The consumer is closed");
    }
    Admin client = admin;
    if (client == null) {
      client = Admin.create(settings);
      admin = client;
    }
    return client;
  }

  /** Gives up a client whose answers do not come, not even a timeout; the next is a new one. */
  synchronized void replace() {
    Admin client = admin;
    admin = null;
    if (client != null) {
      client.close(Duration.ZERO);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    replace();
  }
}
