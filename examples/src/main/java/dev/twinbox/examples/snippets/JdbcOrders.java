package dev.twinbox.examples.snippets;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Enqueues with plain JDBC. */
public final class JdbcOrders {
  private static final String INSERT = "insert into orders (id, customer, cents) values (?, ?, ?)";

  private final DataSource dataSource;
  private final Outbox outbox;

  public JdbcOrders(DataSource dataSource, Outbox outbox) {
    this.dataSource = dataSource;
    this.outbox = outbox;
  }

  // docs: jdbc-full
  public void place(OrderPlaced order) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      try {
        insert(connection, order);
        outbox.enqueue(
            connection,
            Message.to("kafka:orders").key(order.id()).type("order.placed").json(order));
        connection.commit();
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      }
    }
    outbox.wake();
  }

  // docs: end

  void placeBriefly(OrderPlaced order) throws SQLException {
    // docs: jdbc
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      insert(connection, order);
      outbox.enqueue(
          connection, Message.to("kafka:orders").key(order.id()).type("order.placed").json(order));
      connection.commit();
    }
    // docs: end
  }

  private static void insert(Connection connection, OrderPlaced order) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
      insert.setString(1, order.id());
      insert.setString(2, order.customer());
      insert.setLong(3, order.cents());
      insert.executeUpdate();
    }
  }
}
