package dev.twinbox.migrations;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Connections whose defaults are those that migrations need, whatever the role has for others: READ
 * COMMITTED, READ WRITE and no limits of time. Each is given back as it was.
 */
final class OwnSession {
  private static final String[] NAMES = {
    "default_transaction_isolation",
    "default_transaction_read_only",
    "default_transaction_deferrable",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
    "row_security",
    "standard_conforming_strings"
  };

  private static final String[] VALUES = {
    "read committed", "off", "off", "0", "0", "0", "0", "on", "on"
  };

  /** Those that the server knows; returns what they were. */
  private static final String SET =
      """
      with former as materialized (
        select n, v, current_setting(n, true) as was from unnest(?::text[], ?::text[]) s (n, v))
      select array_agg(n), array_agg(was), array_agg(set_config(n, v, false))
      from former where was is not null and v is not null
      """;

  private OwnSession() {}

  /** As {@code pool}, but for the defaults. */
  static DataSource of(DataSource pool) {
    return (DataSource)
        Proxy.newProxyInstance(
            OwnSession.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) ->
                method.getName().equals("getConnection") && arguments == null
                    ? open(pool)
                    : call(pool, method, arguments));
  }

  /** One connection. */
  static Connection open(DataSource pool) throws SQLException {
    Connection lent = pool.getConnection();
    try {
      boolean autoCommit = lent.getAutoCommit();
      lent.setAutoCommit(true);
      String[][] former = set(lent, NAMES, VALUES);
      return (Connection)
          Proxy.newProxyInstance(
              OwnSession.class.getClassLoader(),
              new Class<?>[] {Connection.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("close")) {
                  giveBack(lent, former, autoCommit);
                  return null;
                }
                return call(lent, method, arguments);
              });
    } catch (SQLException | RuntimeException e) {
      lent.close();
      throw e;
    }
  }

  private static void giveBack(Connection lent, String[][] former, boolean autoCommit)
      throws SQLException {
    try (Connection closing = lent) {
      if (!closing.isClosed()) {
        if (!closing.getAutoCommit()) {
          closing.rollback();
          closing.setAutoCommit(true);
        }
        set(closing, former[0], former[1]);
        closing.setAutoCommit(autoCommit);
      }
    }
  }

  private static String[][] set(Connection connection, String[] names, String[] values)
      throws SQLException {
    Array name = connection.createArrayOf("text", names);
    Array value = connection.createArrayOf("text", values);
    try (PreparedStatement statement = connection.prepareStatement(SET)) {
      statement.setArray(1, name);
      statement.setArray(2, value);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return new String[][] {
          (String[]) row.getArray(1).getArray(), (String[]) row.getArray(2).getArray()
        };
      }
    }
  }

  private static @Nullable Object call(Object on, Method method, Object @Nullable [] arguments)
      throws Throwable {
    try {
      return method.invoke(on, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
