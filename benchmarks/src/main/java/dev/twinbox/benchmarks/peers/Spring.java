package dev.twinbox.benchmarks.peers;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
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

  static ConfigurableApplicationContext run(
      Class<?> application,
      Map<String, Object> settings,
      Consumer<GenericApplicationContext> beans) {
    return new SpringApplicationBuilder(application)
        .bannerMode(Banner.Mode.OFF)
        .web(WebApplicationType.NONE)
        .properties(settings)
        .initializers(context -> beans.accept((GenericApplicationContext) context))
        .run();
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
