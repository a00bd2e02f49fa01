package dev.twinbox.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.List;
import java.util.Properties;
import java.util.function.Supplier;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * New connections, each with what the settings and the password file say at that moment:
 * credentials can be rotated while a relay runs. Thread-safe.
 */
final class Logins implements DataSource {
  private final Supplier<Settings> settings;

  Logins(Supplier<Settings> settings) {
    this.settings = settings;
  }

  @Override
  public Connection getConnection() throws SQLException {
    Settings now = settings.get();
    PostgresAddress address = address(now);
    Properties login = new Properties();
    put(login, "user", now.get(Settings.DB_USER));
    put(login, "password", password(now));
    login.setProperty("ApplicationName", "twinbox");
    address.addTo(login);
    return DriverManager.getConnection(address.url(), login);
  }

  private static PostgresAddress address(Settings settings) {
    String url = settings.get(Settings.DB_URL);
    if (url == null) {
      throw new CommandException(
          "There is no database to connect to. Use --db-url, TWINBOX_DB_URL or db.url in a --config"
              + " FILE, as in jdbc:postgresql://localhost:5432/shop.");
    }
    return PostgresAddress.of(url);
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

  @Override
  public Connection getConnection(@Nullable String user, @Nullable String password)
      throws SQLException {
    throw new SQLFeatureNotSupportedException("The settings say who logs in");
  }

  @Override
  public @Nullable PrintWriter getLogWriter() {
    return null;
  }

  @Override
  public void setLogWriter(@Nullable PrintWriter out) {}

  @Override
  public void setLoginTimeout(int seconds) {}

  @Override
  public int getLoginTimeout() {
    return 0;
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    throw new SQLFeatureNotSupportedException();
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return false;
  }
}
