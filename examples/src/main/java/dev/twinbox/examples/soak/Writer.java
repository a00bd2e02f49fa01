package dev.twinbox.examples.soak;

import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes transactions of all shapes, each with a business row a message. Locks are taken in the
 * order of keys. Whether a commit took effect is never asked here: the tables tell in the end.
 */
final class Writer implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(Writer.class);
  private static final String TEXT = "x".repeat(200);

  private final Assignment assignment;
  private final Outbox outbox;
  private final Pace pace;
  private final Random random;
  private final boolean relaxed;

  Writer(Assignment assignment, Outbox outbox, Pace pace, long seed) {
    this.assignment = assignment;
    this.outbox = outbox;
    this.pace = pace;
    random = new Random(seed);
    relaxed = Boolean.parseBoolean(assignment.get("RELAXED"));
  }

  @Override
  public void run() {
    while (!Thread.currentThread().isInterrupted()) {
      try (Connection connection =
          DriverManager.getConnection(assignment.databaseUrl(), assignment.role(), "")) {
        connection.setAutoCommit(false);
        while (true) {
          pace.await();
          transaction(connection);
        }
      } catch (SQLException | RuntimeException e) {
        log.warn("A transaction failed: {}", e.toString());
        pause(500);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void transaction(Connection connection) throws SQLException {
    if (relaxed && random.nextBoolean()) {
      execute(connection, "set local synchronous_commit = off");
    }
    int shape = random.nextInt(100);
    if (shape < 10) {
      // Draws its xid long before it locks a key.
      execute(connection, "insert into soak.noise default values");
      pause(60);
      write(connection, key());
    } else if (shape < 20) {
      rolledBackToSavepoint(connection);
    } else if (shape < 35) {
      several(connection);
    } else if (shape < 38) {
      keyless(connection);
    } else {
      write(connection, key());
      if (shape == 99) {
        pause(800);
      }
    }
    if (random.nextInt(20) == 0) {
      connection.rollback();
    } else {
      connection.commit();
    }
  }

  private void rolledBackToSavepoint(Connection connection) throws SQLException {
    Savepoint savepoint = connection.setSavepoint();
    write(connection, key());
    if (random.nextInt(3) > 0) {
      connection.rollback(savepoint);
    }
    // A key after every other, so that locks are still taken in their order.
    write(connection, SoakTables.ordered(SoakTables.ORDERED_KEYS - 1));
  }

  private void several(Connection connection) throws SQLException {
    List<String> keys = new ArrayList<>();
    for (int i = 2 + random.nextInt(4); i > 0; i--) {
      keys.add(SoakTables.locked(random.nextInt(SoakTables.LOCKED_KEYS)));
    }
    keys.sort(null);
    List<Long> sequences = new ArrayList<>();
    List<Message> messages = new ArrayList<>();
    for (String key : keys) {
      sequences.add(next(connection, key));
      messages.add(message().key(key));
    }
    var enqueued = outbox.enqueueAll(connection, messages);
    for (int i = 0; i < messages.size(); i++) {
      insert(connection, enqueued.get(i).id(), keys.get(i), sequences.get(i));
    }
  }

  private void keyless(Connection connection) throws SQLException {
    UUID id = outbox.enqueue(connection, message()).id();
    insert(connection, id, SoakTables.KEYLESS, next(connection, SoakTables.KEYLESS));
  }

  private void write(Connection connection, String key) throws SQLException {
    UUID id;
    long sequence;
    if (key.startsWith(SoakTables.ORDERED)) {
      id = outbox.enqueue(connection, message().key(key).ordered()).id();
      sequence = next(connection, key);
    } else {
      sequence = next(connection, key);
      id = outbox.enqueue(connection, message().key(key)).id();
    }
    insert(connection, id, key, sequence);
  }

  /** Locks the key's row until the transaction ends. */
  private static long next(Connection connection, String key) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "update soak.chain set last = last + 1 where key = ? returning last")) {
      statement.setString(1, key);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getLong(1);
      }
    }
  }

  private void insert(Connection connection, UUID id, String key, long sequence)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("insert into soak.sent values (?, ?, ?, ?)")) {
      statement.setObject(1, id);
      statement.setString(2, key);
      statement.setLong(3, sequence);
      statement.setString(4, assignment.name());
      statement.executeUpdate();
    }
  }

  private Message message() {
    return Message.to(assignment.get("DESTINATION")).type("soak.event").text(TEXT);
  }

  private String key() {
    int number = random.nextInt(SoakTables.LOCKED_KEYS + SoakTables.ORDERED_KEYS - 1);
    return number < SoakTables.LOCKED_KEYS
        ? SoakTables.locked(number)
        : SoakTables.ordered(number - SoakTables.LOCKED_KEYS);
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private void pause(int mostMillis) {
    try {
      TimeUnit.MILLISECONDS.sleep(1 + random.nextInt(mostMillis));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
