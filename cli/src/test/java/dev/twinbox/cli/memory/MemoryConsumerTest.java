package dev.twinbox.cli.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.twinbox.contract.ConsumerContract;
import dev.twinbox.contract.ConsumerSetup;
import dev.twinbox.contract.SentMessage;
import dev.twinbox.contract.SourceUnderTest;
import dev.twinbox.inbox.Delivery;
import java.rmi.RemoteException;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class MemoryConsumerTest extends ConsumerContract {
  private static final String GROUP = "contract";
  private static MemoryServer server;

  @BeforeAll
  static void start() {
    server = new MemoryServer();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  protected SourceUnderTest newSource() {
    return new Topic();
  }

  private static final class Topic implements SourceUnderTest {
    private final String name = UUID.randomUUID().toString();

    Topic() {
      server.create(name);
    }

    @Override
    public void send(SentMessage message) {
      try {
        server.append(name, new Remotely.Kept(message.id(), message.key(), "x".getBytes(UTF_8)));
      } catch (RemoteException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public AutoCloseable consume(ConsumerSetup setup) {
      return new MemoryConsumer(
          setup.receiver(), server, GROUP + name, name, setup.batchSize(), setup.closeLimit());
    }

    @Override
    public List<Delivery> takeWithoutSettling(int count) {
      try {
        return MemoryConsumer.read(server, name, 0, count, 0);
      } catch (RemoteException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void disturb() {
      server.endSessions();
    }

    @Override
    public long unsettled() {
      try {
        return server.size(name) - server.settled(GROUP + name, name);
      } catch (RemoteException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() {}
  }
}
