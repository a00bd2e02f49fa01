package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FaultProxyTest {
  private final AtomicInteger received = new AtomicInteger();
  private ServerSocket echo;
  private FaultProxy proxy;

  @BeforeEach
  void start() throws IOException {
    echo = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    FaultProxy.daemon("echo", this::serve);
    proxy = FaultProxy.to("127.0.0.1", echo.getLocalPort());
  }

  @AfterEach
  void stop() throws IOException {
    proxy.close();
    echo.close();
  }

  @Test
  void everythingPassesUnchanged() throws IOException {
    try (Client client = new Client()) {
      for (int number = 0; number < 1000; number++) {
        client.send(number);
      }
      for (int number = 0; number < 1000; number++) {
        assertThat(client.receive()).isEqualTo(number);
      }
      assertThat(proxy.connections()).isEqualTo(1);
      assertThat(proxy.openConnections()).isEqualTo(1);
    }
    await().until(() -> proxy.openConnections() == 0);
  }

  @Test
  void theEndOfOneDirectionLeavesTheOtherOpen() throws IOException {
    try (Client client = new Client()) {
      client.send(1);
      client.socket.shutdownOutput();

      assertThat(client.receive()).isEqualTo(1);
      assertThat(client.in.read()).isEqualTo(-1);
    }
  }

  @Test
  void aCutConnectionIsSeenByTheClient() throws IOException {
    try (Client client = new Client()) {
      client.roundTrip(1);
      proxy.cut();

      assertThatThrownBy(client::receive).isInstanceOf(SocketException.class);
      assertThat(proxy.openConnections()).isZero();
    }
    try (Client next = new Client()) {
      next.roundTrip(2);
    }
  }

  @Test
  void refusalConcernsNewConnectionsOnly() throws IOException {
    try (Client client = new Client()) {
      client.roundTrip(1);
      proxy.refuse();

      client.roundTrip(2);
      assertThatThrownBy(Client::new).isInstanceOf(ConnectException.class);
      proxy.accept();
      try (Client next = new Client()) {
        next.roundTrip(3);
      }
    }
  }

  @Test
  void whatAFreezeHoldsBackArrivesAfterIt() throws IOException {
    try (Client client = new Client()) {
      client.roundTrip(1);
      int before = received.get();
      proxy.freeze();
      client.send(2);
      try (Client half = new Client()) {
        half.send(3);
        half.socket.setSoTimeout(200);
        assertThatThrownBy(half::receive).isInstanceOf(SocketTimeoutException.class);
        assertThat(received).hasValue(before);

        proxy.thaw();
        assertThat(client.receive()).isEqualTo(2);
      }
    }
  }

  @Test
  void aDelayCostsTimeBothWaysButNoBandwidth() throws IOException {
    proxy.delay(Duration.ofMillis(150));
    try (Client client = new Client()) {
      long start = System.nanoTime();
      for (int number = 0; number < 20; number++) {
        client.send(number);
        client.out.flush();
      }
      for (int number = 0; number < 20; number++) {
        assertThat(client.receive()).isEqualTo(number);
      }
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(Duration.ofMillis(300), Duration.ofMillis(2500));
    }
  }

  @Test
  void droppedResponsesLeaveRequestsArriving() throws IOException {
    try (Client client = new Client()) {
      client.roundTrip(1);
      int before = received.get();
      proxy.dropResponses();
      client.send(2);
      await().until(() -> received.get() == before + 1);
      client.socket.setSoTimeout(200);
      assertThatThrownBy(client::receive).isInstanceOf(SocketTimeoutException.class);

      proxy.passResponses();
      assertThatThrownBy(client::receive).isInstanceOf(SocketException.class);
    }
    try (Client next = new Client()) {
      next.roundTrip(3);
    }
  }

  @Test
  void anUnreachableTargetResetsItsClients() throws IOException {
    int port = echo.getLocalPort();
    echo.close();
    try (Socket placeholder = new Socket()) {
      // Bound, and not listening: nobody else can be there.
      await().ignoreExceptions().until(() -> bound(placeholder, port));
      assertThatThrownBy(
              () -> {
                try (Client client = new Client()) {
                  client.roundTrip(1);
                }
              })
          .isInstanceOf(IOException.class);
    }
  }

  private static boolean bound(Socket socket, int port) throws IOException {
    socket.setReuseAddress(true);
    socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    return true;
  }

  @Test
  void restoringEndsEveryFault() throws IOException {
    proxy.freeze();
    proxy.delay(Duration.ofMinutes(1));
    proxy.dropResponses();
    proxy.refuse();
    proxy.restore();

    try (Client client = new Client()) {
      client.roundTrip(1);
    }
  }

  @Test
  void aDatabaseConnectionCanBeCut() throws SQLException {
    TestDatabase database = TestPostgres.shared().createDatabase();
    try (FaultProxy toDatabase = FaultProxy.to("127.0.0.1", database.port());
        Connection connection =
            DriverManager.getConnection(database.jdbcUrl(toDatabase.port()), database.user(), "")) {
      assertThat(connection.isValid(5)).isTrue();
      toDatabase.cut();
      assertThat(connection.isValid(5)).isFalse();
    }
  }

  private void serve() {
    while (!echo.isClosed()) {
      try {
        Socket socket = echo.accept();
        FaultProxy.daemon("echo", () -> answer(socket));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void answer(Socket socket) {
    try (socket) {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      DataOutputStream out = new DataOutputStream(socket.getOutputStream());
      while (true) {
        int number = in.readInt();
        received.incrementAndGet();
        out.writeInt(number);
      }
    } catch (IOException e) {
      // The client has gone.
    }
  }

  private final class Client implements AutoCloseable {
    private final Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
    private final DataInputStream in = new DataInputStream(socket.getInputStream());
    private final DataOutputStream out = new DataOutputStream(socket.getOutputStream());

    Client() throws IOException {
      socket.setSoTimeout(10_000);
    }

    void send(int number) throws IOException {
      out.writeInt(number);
    }

    int receive() throws IOException {
      return in.readInt();
    }

    void roundTrip(int number) throws IOException {
      send(number);
      assertThat(receive()).isEqualTo(number);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
