package dev.twinbox.relay;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** An address behind which the database can be exchanged, as DNS names and proxies allow. */
final class ExchangedDataSource implements DataSource {
  private volatile DataSource now;

  ExchangedDataSource(DataSource first) {
    now = first;
  }

  void is(DataSource other) {
    now = other;
  }

  @Override
  public Connection getConnection() throws SQLException {
    return now.getConnection();
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    return now.getConnection(user, password);
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
    throw new SQLException("nothing to unwrap");
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return false;
  }
}
