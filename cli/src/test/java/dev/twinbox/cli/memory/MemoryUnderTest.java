package dev.twinbox.cli.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.broker.Broker;
import dev.twinbox.contract.Arrived;
import dev.twinbox.contract.BrokerUnderTest;
import java.rmi.RemoteException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A server, and what the contract of publishers does to it. */
final class MemoryUnderTest implements BrokerUnderTest, AutoCloseable {
  final MemoryServer server = new MemoryServer();

  @Override
  public Broker broker(Duration lookTimeout, Duration confirmTimeout) {
    return new MemoryBroker("memory", server.port(), lookTimeout, confirmTimeout);
  }

  @Override
  public String newDestination() {
    String destination = missingDestination();
    create(destination);
    return destination;
  }

  @Override
  public String missingDestination() {
    return "memory:" + UUID.randomUUID();
  }

  @Override
  public void create(String destination) {
    server.create(topic(destination));
  }

  @Override
  public int tooManyBytes() {
    return 2 * MemoryServer.MOST_BYTES;
  }

  @Override
  public List<Arrived> read(String destination) {
    try {
      return server.read(topic(destination), 0, Integer.MAX_VALUE).stream()
          .map(
              kept ->
                  new Arrived(
                      Objects.requireNonNull(kept.id()),
                      kept.key(),
                      text(kept.payload()),
                      Map.of()))
          .toList();
    } catch (RemoteException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void takeDown() {
    server.setDown(true);
  }

  @Override
  public void bringBack() {
    server.setDown(false);
  }

  @Override
  public void freeze() {
    server.setFrozen(true);
  }

  @Override
  public void thaw() {
    server.setFrozen(false);
  }

  @Override
  public void close() {
    server.close();
  }

  private static String topic(String destination) {
    return destination.substring("memory:".length());
  }

  private static @Nullable String text(byte @Nullable [] payload) {
    return payload == null ? null : new String(payload, UTF_8);
  }
}
