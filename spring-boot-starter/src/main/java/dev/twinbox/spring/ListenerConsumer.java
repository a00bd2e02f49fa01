package dev.twinbox.spring;

/** A consumer that runs as long as the service. Started once. */
public interface ListenerConsumer extends AutoCloseable {
  /**
   * Begins to consume. A broker or database that is away is waited for.
   *
   * @throws dev.twinbox.broker.doctor.UnsafeSettingsException when messages could be lost
   */
  void start();

  /** Finishes what is in work. */
  @Override
  void close();
}
