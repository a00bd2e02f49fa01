package dev.twinbox.benchmarks.sides;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.benchmarks.worker.Place;

/** Connections to the database that a side is told of. */
public final class Pools {
  private Pools() {}

  /** A pool of at most so many connections; the same pool library for every side. */
  public static HikariDataSource open(Place place, int connections) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(place.get("jdbc"));
    config.setUsername("postgres");
    config.setMaximumPoolSize(connections);
    config.setMinimumIdle(Math.min(2, connections));
    return new HikariDataSource(config);
  }
}
