package dev.twinbox.spring.autoconfigure;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;

/**
 * The connections of the relay: by default a pool of its own that is made like the service's, so
 * that neither waits for the other. Idle connections are given back.
 */
final class RelayConnections {
  private static final boolean HIKARI =
      ClassUtils.isPresent(
          "com.zaxxer.hikari.HikariDataSource", RelayConnections.class.getClassLoader());

  private final DataSource services;
  private final boolean own;
  private final int size;
  private @Nullable AutoCloseable opened;

  RelayConnections(DataSource services, TwinboxProperties.RelaySettings settings) {
    this.services = services;
    own = settings.pool() == TwinboxProperties.RelayPool.OWN;
    size = settings.poolSize();
  }

  synchronized DataSource open() {
    if (!own || !HIKARI) {
      return services;
    }
    HikariDataSource pool = Hikari.like(services, size);
    opened = pool;
    return pool == null ? services : pool;
  }

  synchronized void close() {
    AutoCloseable pool = opened;
    opened = null;
    if (pool instanceof HikariDataSource hikari) {
      hikari.close();
    }
  }

  /** Linked only where HikariCP is. */
  private static final class Hikari {
    static @Nullable HikariDataSource like(DataSource services, int size) {
      HikariDataSource original;
      try {
        if (!services.isWrapperFor(HikariDataSource.class)) {
          return null;
        }
        original = services.unwrap(HikariDataSource.class);
      } catch (SQLException e) {
        return null;
      }
      HikariConfig config = new HikariConfig();
      original.copyStateTo(config);
      config.setPoolName("twinbox-relay");
      config.setMaximumPoolSize(size);
      config.setMinimumIdle(1);
      config.setIdleTimeout(60_000);
      config.setReadOnly(false);
      config.setLeakDetectionThreshold(0);
      return new HikariDataSource(config);
    }
  }
}
