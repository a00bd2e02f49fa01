package dev.twinbox.benchmarks.sides;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** What the application writes for itself in each transaction. */
public final class Business {
  private Business() {}

  /** The insert, by plain JDBC. */
  public static final String INSERT =
      "insert into bench.business (customer, cents, note) values (?, ?, 'a note of some length')";

  /** Inserts a row in the connection's transaction. */
  public static void insert(Connection connection, String customer) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
      insert.setString(1, customer);
      insert.setLong(2, 1250);
      insert.executeUpdate();
    }
  }
}
