package dev.twinbox.examples.soak;

import dev.twinbox.migrations.Migrations;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * PostgreSQL as a process of its own, which keeps what it confirms, with roles of least privilege.
 */
final class SoakDatabase implements AutoCloseable {
  static final String PRODUCER = "soak_producer";
  static final String RELAY = "soak_relay";
  static final String CONSUMER = "soak_consumer";

  /** Leaves so small that the ring goes round several times a minute. */
  private static final int ROWS_PER_CHUNK = 2_000;

  private static final int LEAVES = 8;

  /** A connection that has become silent is given up, so that another one can be tried. */
  private static final String TIMEOUTS = "?connectTimeout=5&socketTimeout=15&ApplicationName=";

  private final TestPostgres server;
  private final TestDatabase database;
  private final Map<String, FaultProxy> proxies = new HashMap<>();
  private final DSLContext reading;

  private SoakDatabase(TestPostgres server, List<String> processes) {
    this.server = server;
    database = server.createDatabase();
    for (String process : processes) {
      proxies.put(process, FaultProxy.to("127.0.0.1", database.port()));
    }
    reading = DSL.using(dataSource(), SQLDialect.POSTGRES);
  }

  /**
   * @param processes the relays and consumers to come, each of which gets a proxy of its own
   */
  static SoakDatabase start(List<String> processes) {
    SoakDatabase started =
        new SoakDatabase(
            // What is not flushed at commit stays unflushed for long, to be lost in a crash.
            TestPostgres.builder().setting("wal_writer_delay", "10s").start(), processes);
    DataSource owner = started.database.dataSource();
    Migrations migrations = Migrations.defaults().ring(ROWS_PER_CHUNK, LEAVES);
    migrations.applyTo(owner);
    for (String role : List.of(PRODUCER, RELAY, CONSUMER)) {
      started.reading.execute("create role " + role + " login");
    }
    migrations.grantProducer(owner, PRODUCER);
    migrations.grantRelay(owner, RELAY);
    migrations.grantConsumer(owner, CONSUMER);
    SoakTables.create(started.reading);
    SoakTables.grant(started.reading, PRODUCER, CONSUMER);
    return started;
  }

  TestPostgres server() {
    return server;
  }

  /** For reading as superuser, by no proxy; gives up on a server that is silent. */
  DSLContext reading() {
    return reading;
  }

  /** Unpooled connections of the superuser. */
  DataSource dataSource() {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setURL(database.jdbcUrl() + TIMEOUTS + "soak");
    source.setUser(database.user());
    return source;
  }

  /** A process's way to the database: by its proxy, if it has one. */
  String url(String process) {
    FaultProxy proxy = proxies.get(process);
    return (proxy == null ? database.jdbcUrl() : database.jdbcUrl(proxy.port()))
        + TIMEOUTS
        + process;
  }

  FaultProxy proxy(String process) {
    FaultProxy proxy = proxies.get(process);
    if (proxy == null) {
      throw new IllegalArgumentException(process + " has no proxy");
    }
    return proxy;
  }

  @Override
  public void close() {
    proxies.values().forEach(FaultProxy::close);
    server.close();
  }
}
