package dev.twinbox.rabbitmq.publisher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.broker.Broker;
import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Publisher;
import dev.twinbox.contract.Outcomes;
import dev.twinbox.contract.Records;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.SocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The thread that gives up what a broker does not confirm. */
@Timeout(180)
class RabbitClockTest {
  private final AtomicInteger thrown = new AtomicInteger();
  private final Outcomes outcomes = new Outcomes();
  private RabbitUnderTest server;

  @BeforeEach
  void start() throws IOException, TimeoutException {
    server = new RabbitUnderTest();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void errorsOnTheClocksThreadHoldUpNoOtherPublisherAndNoLaterOne() {
    String destination = server.newDestination();
    try (Broker broker =
        server
            .builder()
            .confirmTimeout(Duration.ofSeconds(1))
            .configure(factory -> factory.setSocketFactory(new FailingSockets()))
            .build()) {
      List<Publisher> publishers = List.of(broker.open(0), broker.open(1), broker.open(2));
      publishers.forEach(
          publisher -> outcomes.expectPublished(List.of(publish(publisher, destination))));

      for (int i = 0; i < 2; i++) {
        server.freeze();
        List<OutboxRecord> waiting =
            publishers.stream().map(publisher -> publish(publisher, destination)).toList();
        assertThat(waiting).noneMatch(record -> outcomes.of(record) instanceof Outcome.Published);
        publishers.forEach(Publisher::close);
        server.thaw();

        publishers = List.of(broker.open(0), broker.open(1), broker.open(2));
        publishers.forEach(
            publisher -> outcomes.expectPublished(List.of(publish(publisher, destination))));
      }
      publishers.forEach(Publisher::close);
    }
    assertThat(thrown).hasValueGreaterThanOrEqualTo(6);
  }

  private OutboxRecord publish(Publisher publisher, String destination) {
    OutboxRecord record = Records.record(destination, null, "p");
    publisher.publish(record, outcomes);
    return record;
  }

  /** A user's sockets, which the broker's clock cannot close. */
  private final class FailingSockets extends SocketFactory {
    @Override
    public Socket createSocket() {
      return new Socket() {
        @Override
        public synchronized void close() throws IOException {
          super.close();
          if (Thread.currentThread().getName().equals("twinbox-rabbitmq-clock")) {
            thrown.incrementAndGet();
            throw new StackOverflowError("made up");
          }
        }
      };
    }

    @Override
    public Socket createSocket(String host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress own, int ownPort) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress own, int ownPort) {
      throw new UnsupportedOperationException();
    }
  }
}
