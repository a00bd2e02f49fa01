package dev.twinbox.relay.cli;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Connections by the settings. */
final class Database {
  private static final int CONNECT_MILLIS = 10_000;

  private Database() {}

  /** A pool of at most so many connections, the first of which is made now. */
  static HikariDataSource connect(Settings settings, int connections) {
    String url = settings.get(Settings.DB_URL);
    if (url == null) {
      throw new CommandException(
          "There is no database to connect to. Use --db-url, TWINBOX_DB_URL or db.url in a --config"
              + " FILE, as in jdbc:postgresql://localhost:5432/shop.");
    }
    if (!url.startsWith("jdbc:postgresql:")) {
      throw new CommandException(
          "The database's address must have the form jdbc:postgresql://host:port/database.");
    }
    Properties login = new Properties();
    put(login, "user", settings.get(Settings.DB_USER));
    put(login, "password", password(settings));
    login.setProperty("ApplicationName", "twinbox");
    // The pool would log a stack trace and try again; a command fails at once.
    try (Connection first = DriverManager.getConnection(url, login)) {
      first.getMetaData();
    } catch (SQLException e) {
      throw new CommandException("No connection to the database: " + Explanation.line(e), e);
    }
    HikariConfig config = new HikariConfig();
    config.setPoolName("twinbox");
    config.setJdbcUrl(url);
    config.setDataSourceProperties(login);
    config.setMaximumPoolSize(connections);
    config.setMinimumIdle(Math.min(2, connections));
    config.setConnectionTimeout(CONNECT_MILLIS);
    return new HikariDataSource(config);
  }

  private static void put(Properties login, String name, @Nullable String value) {
    if (value != null) {
      login.setProperty(name, value);
    }
  }

  private static @Nullable String password(Settings settings) {
    String password = settings.get(Settings.DB_PASSWORD);
    String file = settings.get(Settings.DB_PASSWORD_FILE);
    if (password != null || file == null) {
      return password;
    }
    try {
      List<String> lines = Files.readAllLines(Path.of(file));
      if (lines.isEmpty()) {
        throw new CommandException("The password file %s is empty.".formatted(file));
      }
      return lines.get(0);
    } catch (IOException e) {
      throw new CommandException(
          "The password file %s cannot be read (%s)."
              .formatted(file, e.getClass().getSimpleName()));
    }
  }
}
