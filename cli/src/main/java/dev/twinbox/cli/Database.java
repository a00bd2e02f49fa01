package dev.twinbox.cli;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Supplier;

/** Connections by the settings. */
final class Database {
  private static final int CONNECT_MILLIS = 10_000;

  private Database() {}

  /** A pool of at most so many connections, the first of which is made now. */
  static HikariDataSource connect(Settings settings, int connections) {
    return connect(() -> settings, connections);
  }

  /**
   * A pool of at most so many connections, the first of which is made now.
   *
   * @param settings asked anew for each connection, so that rotated credentials are taken up
   */
  static HikariDataSource connect(Supplier<Settings> settings, int connections) {
    // The pool would log a stack trace and try again; a command fails at once.
    Logins logins = new Logins(settings);
    try (Connection first = logins.getConnection()) {
      first.getMetaData();
    } catch (SQLException e) {
      throw new CommandException("No connection to the database: " + Explanation.line(e), e);
    }
    HikariConfig config = new HikariConfig();
    config.setPoolName("twinbox");
    config.setDataSource(logins);
    config.setMaximumPoolSize(connections);
    config.setMinimumIdle(Math.min(2, connections));
    config.setConnectionTimeout(CONNECT_MILLIS);
    return new HikariDataSource(config);
  }
}
