package dev.twinbox.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.postgres.PostgresDriver;
import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.SQLWarning;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** Runs a user's code on a class path from which what is optional is left out. */
class MissingDependenciesTest {
  @Test
  void withoutJacksonAndTheDriverTheErrorSaysWhatToAdd() throws Exception {
    URL[] urls =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> !entry.contains("jackson") && !entry.contains("postgresql"))
            .map(MissingDependenciesTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
      var constructor = loader.loadClass(User.class.getName()).getDeclaredConstructor();
      constructor.setAccessible(true);
      Callable<?> user = (Callable<?>) constructor.newInstance();
      assertThat((List<?>) user.call())
          .hasSize(4)
          .allSatisfy(said -> assertThat(said).asString().contains("jackson-databind", "true"));
    }
  }

  private static URL url(String entry) {
    try {
      return Path.of(entry).toUri().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Seen from the other class path. */
  static final class User implements Callable<List<String>> {
    @Override
    public List<String> call() {
      String standby = "canceling wait for synchronous replication due to user request";
      List<String> said = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        boolean told =
            PostgresDriver.isAboutStandby(new SQLWarning(standby))
                && !PostgresDriver.isAboutStandby(new SQLWarning("Low stock"));
        try {
          TypedHandlers.builder().json("a", String.class, (value, delivery, work) -> {});
        } catch (IllegalStateException e) {
          said.add(e.getMessage() + told);
        }
      }
      return said;
    }
  }
}
