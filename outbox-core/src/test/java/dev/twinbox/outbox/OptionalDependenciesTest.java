package dev.twinbox.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** Runs a user's code on a class path from which Jackson and Spring are left out. */
final class OptionalDependenciesTest {
  @Test
  void withoutJacksonAndSpringEverythingButJsonWorks() throws Exception {
    String[] classPath = System.getProperty("java.class.path").split(java.io.File.pathSeparator);
    URL[] urls =
        Arrays.stream(classPath)
            .filter(entry -> !entry.contains("jackson") && !entry.contains("spring-"))
            .map(OptionalDependenciesTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
      Callable<?> user =
          (Callable<?>) loader.loadClass(User.class.getName()).getConstructor().newInstance();
      assertThat((List<?>) user.call())
          .isEqualTo(
              List.of(
                  "x",
                  "json(...) needs Jackson: add com.fasterxml.jackson.core:jackson-databind or tools.jackson.core:jackson-databind to the class path, or give the Outbox a codec of your own.",
                  "own codec"));
    }
  }

  private static URL url(String entry) {
    try {
      return java.nio.file.Path.of(entry).toUri().toURL();
    } catch (java.net.MalformedURLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Seen from the other class path. */
  public static final class User implements Callable<List<String>> {
    @Override
    public List<String> call() {
      Outbox outbox = Outbox.builder().source("/shop").build();
      SpringCommit.wakeAfterCommit(new Wakeups());
      Message message = Message.to("kafka:orders").type("t");
      String refused = "not refused";
      try {
        outbox.prepare(message.json(List.of()));
      } catch (IllegalStateException e) {
        refused = String.valueOf(e.getMessage());
      }
      Outbox own =
          Outbox.builder()
              .source("/shop")
              .codec(value -> "own codec".getBytes(java.nio.charset.StandardCharsets.UTF_8))
              .build();
      return List.of(
          text(outbox.prepare(message.text("x"))),
          refused,
          text(own.prepare(message.json(List.of()))));
    }

    private static String text(Message message) {
      byte[] payload = message.payload();
      return payload == null ? "" : new String(payload, java.nio.charset.StandardCharsets.UTF_8);
    }
  }
}
