package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("essential")
class JavaProcessTest {
  @TempDir Path folder;

  @Test
  void aFrozenProcessSaysNothingUntilItIsResumedAndCanBeKilled() {
    Path log = folder.resolve("counter.log");
    try (JavaProcess process =
        JavaProcess.of(Counter.class.getName(), log)
            .options("-Xmx32m", "-XX:TieredStopAtLevel=1")
            .arguments("argument")
            .environment(Map.of("COUNTER", "variable"))
            .dropEnvironment("PAT")
            .start()) {
      await().atMost(Duration.ofSeconds(30)).until(() -> text(log).contains("variable 3"));
      assertThat(text(log))
          .startsWith("argument null")
          .contains("with " + JavaProcess.localeOptions())
          .contains("-Duser.language=" + System.getProperty("user.language"));
      assertThat(process.isRunning()).isTrue();
      assertThat(process.exitCode()).isEmpty();

      process.pause();
      int before = text(log).length();
      await()
          .during(Duration.ofMillis(300))
          .atMost(Duration.ofSeconds(5))
          .until(() -> text(log).length() == before);
      process.resume();
      await().atMost(Duration.ofSeconds(30)).until(() -> text(log).length() > before);

      process.pause();
      process.kill();
      assertThat(process.isRunning()).isFalse();
      assertThat(process.exitCode()).hasValue(137);
    }
  }

  @Test
  void aProcessThatIsAskedToStopEndsInItsOwnWay() {
    Path log = folder.resolve("counter.log");
    try (JavaProcess process =
        JavaProcess.of(Counter.class.getName(), log)
            .arguments("argument")
            .environment(Map.of("COUNTER", "variable"))
            .start()) {
      await().atMost(Duration.ofSeconds(30)).until(() -> text(log).contains("variable 1"));
      process.stop();

      assertThat(process.exitCode()).hasValue(143);
      assertThat(text(log)).contains("goodbye");
    }
  }

  /** Counts until it is told to end. */
  static final class Counter {
    public static void main(String[] arguments) throws InterruptedException {
      System.out.println(arguments[0] + " " + System.getenv("PATH"));
      System.out.println("with " + JavaProcess.localeOptions());
      Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("goodbye")));
      for (int i = 1; ; i++) {
        System.out.println(System.getenv("COUNTER") + " " + i);
        Thread.sleep(20);
      }
    }
  }

  private static String text(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
