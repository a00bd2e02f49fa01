package dev.twinbox.benchmarks.peers;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.annotation.ImportCandidates;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** Spring Boot applications without a web server, for the libraries that are made for it. */
final class Spring {
  private Spring() {}

  static {
    // Our log stays as it is configured.
    System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
  }

  /**
   * @param application what is configured
   * @param stranger the package of a library that is on the class path and not wanted in here
   * @param settings its properties
   * @param beans what it gets besides
   */
  static ConfigurableApplicationContext run(
      Class<?> application,
      String stranger,
      Map<String, Object> settings,
      Consumer<GenericApplicationContext> beans) {
    return new SpringApplicationBuilder(application)
        .bannerMode(Banner.Mode.OFF)
        .web(WebApplicationType.NONE)
        .properties(with(settings, "spring.autoconfigure.exclude", configurationsOf(stranger)))
        .initializers(context -> beans.accept((GenericApplicationContext) context))
        .run();
  }

  private static String configurationsOf(String library) {
    return ImportCandidates.load(AutoConfiguration.class, Spring.class.getClassLoader())
        .getCandidates()
        .stream()
        .filter(name -> name.startsWith(library))
        .collect(Collectors.joining(","));
  }

  static Map<String, Object> with(Map<String, Object> settings, String name, String value) {
    Map<String, Object> more = new HashMap<>(settings);
    more.put(name, value);
    return more;
  }

  /** A pool that outlives the application: it starts and stops again and again. */
  static DataSource shared(DataSource pool) {
    return new DelegatingDataSource(pool);
  }
}
