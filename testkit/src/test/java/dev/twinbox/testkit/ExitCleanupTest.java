package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExitCleanupTest {
  @Test
  void nothingOutlivesAKilledJvm(@TempDir Path folder) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + folder,
                "-cp",
                System.getProperty("java.class.path"),
                Frozen.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int port;
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      port = Integer.parseInt(output.readLine());
      assertThat(refuses(port)).isFalse();
      assertThat(hasNoneOfOurs(folder)).isFalse();
    } finally {
      process.destroyForcibly();
    }

    await().atMost(Duration.ofSeconds(20)).until(() -> refuses(port));
    await().atMost(Duration.ofSeconds(20)).until(() -> hasNoneOfOurs(folder));
  }

  /** A JVM that cannot end in good order: its server is frozen, and it is about to be killed. */
  static final class Frozen {
    public static void main(String[] arguments) throws Exception {
      TestPostgres server = TestPostgres.start();
      server.pause();
      System.out.println(server.port());
      Thread.currentThread().join();
    }
  }

  private static boolean refuses(int port) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return !socket.isConnected();
    } catch (ConnectException e) {
      return true;
    }
  }

  private static boolean hasNoneOfOurs(Path folder) throws IOException {
    try (var entries = Files.list(folder)) {
      return entries.noneMatch(entry -> entry.getFileName().toString().startsWith("twinbox-"));
    }
  }
}
