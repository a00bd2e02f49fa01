package dev.twinbox.benchmarks.profile;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecorderTest {
  private static final int LATE_MILLIS = 60;

  @TempDir Path folder;

  @Test
  void whoWaitedForAServerIsNamedWithHowLong() throws Exception {
    try (Recorder recorder = Recorder.of("side", folder.toString())) {
      recorder.done("start");
      recorder.done("load");
      askALateServer();
    }

    List<Path> files = files();
    assertThat(files).hasSize(2).allMatch(file -> file.toString().contains("side-"));
    String summary =
        Files.readString(
            files.stream().filter(file -> file.toString().endsWith(".txt")).findFirst().get());
    String line =
        summary.lines().filter(each -> each.contains("askALateServer")).findFirst().orElse("");
    assertThat(line).as(summary).contains("RecorderTest.askALateServer");
    String[] words = line.trim().split("\\s+");
    assertThat(words[0]).as(line).isEqualTo("1");
    assertThat(Double.parseDouble(words[1])).as(line).isBetween(LATE_MILLIS / 2.0, 10_000.0);
  }

  @Test
  void aWarmUpIsNotRecorded() throws Exception {
    try (Recorder recorder = Recorder.of("side", folder.toString())) {
      recorder.done("fill");
      recorder.done("start");
      askALateServer();
    }

    assertThat(files()).isEmpty();
  }

  @Test
  void nothingIsRecordedUnlessAskedFor() throws Exception {
    try (Recorder recorder = Recorder.of("side", "")) {
      recorder.done("load");
    }

    assertThat(files()).isEmpty();
  }

  private static void askALateServer() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
        Socket served = server.accept()) {
      Thread answering =
          new Thread(
              () -> {
                try {
                  Thread.sleep(LATE_MILLIS);
                  served.getOutputStream().write(1);
                } catch (IOException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      answering.start();
      assertThat(client.getInputStream().read()).isOne();
      answering.join();
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
