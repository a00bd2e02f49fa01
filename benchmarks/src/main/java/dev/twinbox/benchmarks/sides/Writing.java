package dev.twinbox.benchmarks.sides;

import dev.twinbox.benchmarks.worker.SampleTexts;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What a producer can write in one transaction: through the outbox, or the same bytes by bare JDBC
 * into {@code bench.bare}, a table without an index.
 */
enum Writing {
  /** A business row and a message. */
  ENQUEUE {
    @Override
    void write(Connection connection, Content content) throws SQLException {
      Business.insert(connection, content.key());
      OUTBOX.enqueue(connection, message(content));
    }
  },

  /** A business row and a bare one. */
  BARE {
    @Override
    void write(Connection connection, Content content) throws SQLException {
      Business.insert(connection, content.key());
      try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
        bind(insert, content);
        insert.executeUpdate();
      }
    }
  },

  /** A message alone. */
  ENQUEUE_ALONE {
    @Override
    void write(Connection connection, Content content) throws SQLException {
      OUTBOX.enqueue(connection, message(content));
    }
  },

  /** A bare row alone. */
  BARE_ALONE {
    @Override
    void write(Connection connection, Content content) throws SQLException {
      try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
        bind(insert, content);
        insert.executeUpdate();
      }
    }
  },

  /** A hundred messages in one call. */
  ENQUEUE_ALL {
    @Override
    void write(Connection connection, Content content) {
      List<Message> messages = new ArrayList<>(BATCH);
      for (int i = 0; i < BATCH; i++) {
        messages.add(message(content));
      }
      OUTBOX.enqueueAll(connection, messages);
    }

    @Override
    int rows() {
      return BATCH;
    }
  },

  /** A hundred bare rows in a batch, which the driver rewrites into multi-row inserts. */
  RAW_BATCH {
    @Override
    void write(Connection connection, Content content) throws SQLException {
      try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
        for (int i = 0; i < BATCH; i++) {
          bind(insert, content);
          insert.addBatch();
        }
        insert.executeBatch();
      }
    }

    @Override
    int rows() {
      return BATCH;
    }
  };

  /** What makes the table of the bare side: the columns of the outbox, no index, no defaults. */
  static final String TABLE =
      """
      create schema if not exists bench;
      create table if not exists bench.business (
        id bigint generated always as identity primary key,
        customer text not null, cents bigint not null, note text not null);
      create table if not exists bench.bare (
        xid xid8, position bigint, id uuid, created_at timestamptz default clock_timestamp(),
        expires_at timestamptz, lane integer, destination text, key text, type text,
        content_type text, headers text[], payload bytea)
      """;

  private static final int BATCH = 100;
  private static final Outbox OUTBOX = Outbox.builder().source("/bench").build();
  private static final String DESTINATION = "kafka:orders";
  private static final String INSERT =
      "insert into bench.bare (xid, position, id, lane, destination, key, type, content_type,"
          + " headers, payload) values ('1000'::xid8, ?, ?, ?, ?, ?, ?, ?,"
          + " string_to_array(?, ','), ?)";

  /**
   * What a message holds.
   *
   * @param key its key
   * @param payload its payload
   */
  @SuppressWarnings("ArrayRecordComponent") // never modified
  record Content(String key, byte[] payload) {
    static Content random(byte[] payload) {
      return new Content(SampleTexts.key(ThreadLocalRandom.current().nextInt(10_000)), payload);
    }
  }

  /** Writes, in the connection's transaction. */
  abstract void write(Connection connection, Content content) throws SQLException;

  /** How many messages or bare rows that are. */
  int rows() {
    return 1;
  }

  private static Message message(Content content) {
    return Message.to(DESTINATION)
        .key(content.key())
        .type("order.placed")
        .contentType("text/plain")
        .payload(content.payload());
  }

  private static void bind(PreparedStatement insert, Content content) throws SQLException {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    insert.setLong(1, random.nextInt());
    insert.setObject(2, new UUID(random.nextLong(), random.nextLong()));
    insert.setInt(3, 1);
    insert.setString(4, DESTINATION);
    insert.setString(5, content.key());
    insert.setString(6, "order.placed");
    insert.setString(7, "text/plain");
    insert.setString(8, "ce_source,/bench");
    insert.setBytes(9, content.payload());
  }
}
