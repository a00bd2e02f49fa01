package dev.twinbox.examples.demo;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.util.ArrayList;
import java.util.List;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/** A PostgreSQL server of the demo's own, with all tables in it. */
final class DemoDatabase implements AutoCloseable {
  private final TestPostgres server;
  private final TestDatabase database;
  private final List<HikariDataSource> pools = new ArrayList<>();

  private DemoDatabase(TestPostgres server) {
    this.server = server;
    database = server.createDatabase();
  }

  static DemoDatabase start() {
    DemoDatabase started = new DemoDatabase(TestPostgres.start());
    Migrations.apply(started.database.dataSource());
    DSLContext owner = DSL.using(started.database.dataSource(), SQLDialect.POSTGRES);
    Shop.createTables(owner);
    PostgresBilling.createTables(owner);
    return started;
  }

  String version() {
    return server.version().toString();
  }

  /** Connections for one part of the demo. */
  HikariDataSource pool(String name, int connections) {
    HikariConfig config = new HikariConfig();
    config.setPoolName(name);
    config.setJdbcUrl(database.jdbcUrl());
    config.setUsername(database.user());
    config.setMaximumPoolSize(connections);
    HikariDataSource pool = new HikariDataSource(config);
    pools.add(pool);
    return pool;
  }

  String howToConnect() {
    return """
      psql %s
      TWINBOX_DB_URL=%s TWINBOX_DB_USER=%s bin/twinbox status"""
        .formatted(
            database.jdbcUrl().replace("jdbc:postgresql://", "postgresql://postgres@"),
            database.jdbcUrl(),
            database.user());
  }

  @Override
  public void close() {
    pools.forEach(HikariDataSource::close);
    server.close();
  }
}
