package dev.twinbox.testkit;

import java.util.Objects;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * One database of a {@link TestPostgres}. Immutable; it stays valid over restarts of the server.
 * Every role may connect without a password; {@code postgres} is the superuser.
 *
 * @param server the server it is in
 * @param name its name
 */
public record TestDatabase(TestPostgres server, String name) {
  public TestDatabase {
    Objects.requireNonNull(server, "server");
    Objects.requireNonNull(name, "name");
  }

  public int port() {
    return server.port();
  }

  /** The superuser. */
  public String user() {
    return "postgres";
  }

  /** The JDBC address, without a user. */
  public String jdbcUrl() {
    return jdbcUrl(port());
  }

  /** The JDBC address by way of another port, that of a proxy for instance. */
  public String jdbcUrl(int port) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + name;
  }

  /** New connections of the superuser, unpooled. */
  public DataSource dataSource() {
    return dataSource(user());
  }

  /** New connections of the given role, unpooled. */
  public DataSource dataSource(String role) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setURL(jdbcUrl());
    dataSource.setUser(role);
    return dataSource;
  }
}
