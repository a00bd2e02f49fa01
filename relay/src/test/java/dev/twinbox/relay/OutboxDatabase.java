package dev.twinbox.relay;

import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.twinbox.migrations.Migrations;
import dev.twinbox.postgres.Tables;
import dev.twinbox.relay.store.LaneLog;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.Pipeline;
import dev.twinbox.relay.store.Rotation;
import dev.twinbox.relay.store.WindowReader;
import dev.twinbox.testkit.TestDatabase;
import dev.twinbox.testkit.TestPostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A fresh database with Twinbox's tables, and producers that insert as outbox-core does. */
public final class OutboxDatabase implements AutoCloseable {
  public static final Tables TABLES = Tables.in("twinbox");
  private static final String INSERT =
      "insert into twinbox.outbox (lane, id, destination, key, type, payload) values (?, ?, ?, ?,"
          + " 'test', ?)";

  private static final String WAITING =
      "from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

  private final TestDatabase database;
  private final HikariDataSource pool;

  public OutboxDatabase(long chunk, int ring) {
    this(TestPostgres.shared().createDatabase(), chunk, ring);
  }

  public OutboxDatabase(TestDatabase database, long chunk, int ring) {
    this.database = database;
    Migrations.defaults().ring(chunk, ring).applyTo(database.dataSource());
    pool = pool(24);
  }

  private OutboxDatabase(TestDatabase database) {
    this.database = database;
    pool = pool(16);
  }

  /** A database that has Twinbox's tables already. */
  public static OutboxDatabase existing(TestDatabase database) {
    return new OutboxDatabase(database);
  }

  /** The same database with new connections, which see its changed defaults. */
  public OutboxDatabase reconnected() {
    return new OutboxDatabase(database);
  }

  public HikariDataSource pool(int size) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.dataSource());
    config.setMaximumPoolSize(size);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(3_000);
    return new HikariDataSource(config);
  }

  public DataSource dataSource() {
    return pool;
  }

  public TestDatabase database() {
    return database;
  }

  public Pipeline pipeline() {
    return new Pipeline(pool, 10_000);
  }

  public LaneLog log(Duration lease) {
    return new LaneLog(pipeline(), TABLES, lease);
  }

  public WindowReader reader() {
    return new WindowReader(pipeline(), TABLES);
  }

  public Rotation rotation() {
    return new Rotation(pipeline(), TABLES);
  }

  /** A producer's connection with an open transaction. */
  public Connection begin() throws SQLException {
    Connection connection = database.dataSource().getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  public UUID insert(Connection producer, int lane, @Nullable String key) throws SQLException {
    return insert(producer, lane, key, new byte[0]);
  }

  public UUID insert(Connection producer, int lane, @Nullable String key, byte[] payload)
      throws SQLException {
    return insert(producer, lane, "kafka:test", key, payload);
  }

  public UUID insert(
      Connection producer, int lane, String destination, @Nullable String key, byte[] payload)
      throws SQLException {
    UUID id = UUID.randomUUID();
    try (PreparedStatement statement = producer.prepareStatement(INSERT)) {
      statement.setInt(1, lane);
      statement.setObject(2, id);
      statement.setString(3, destination);
      statement.setString(4, key);
      statement.setBytes(5, payload);
      statement.executeUpdate();
    }
    return id;
  }

  /** A row at a position that the sequence has passed, as a slow producer would insert it. */
  public void insertAt(Connection producer, int lane, long position) throws SQLException {
    try (Statement statement = producer.createStatement()) {
      statement.execute(
          "insert into twinbox.outbox (lane, position, id, destination, type) values (%s, %s,"
                  .formatted(lane, position)
              + " gen_random_uuid(), 'kafka:test', 'test')");
    }
  }

  /** One message in a transaction of its own. */
  public UUID commitOne(int lane, @Nullable String key) throws SQLException {
    try (Connection producer = begin()) {
      UUID id = insert(producer, lane, key);
      producer.commit();
      return id;
    }
  }

  /** One message to a destination, in a transaction of its own. */
  public UUID commitOne(int lane, String destination, @Nullable String key) throws SQLException {
    try (Connection producer = begin()) {
      UUID id = insert(producer, lane, destination, key, new byte[0]);
      producer.commit();
      return id;
    }
  }

  /** Somebody else's next entry of a lane's log: whoever writes the lane waits for its end. */
  public void appendUncommitted(Connection rival, LaneState lane) throws SQLException {
    try (Statement statement = rival.createStatement()) {
      statement.execute(
          "insert into twinbox.outbox_lane_log select lane, seq + 1, 'rival', owner, claim_id,"
              + " epoch, lease_until, window_number, done, target, floor, next_floor, ceiling,"
              + " cursor_position, ahead from twinbox.outbox_lane_log where lane = %s and seq = %s"
                  .formatted(lane.lane(), lane.seq()));
    }
  }

  public void awaitSomebodyWaits() {
    await().until(() -> number("select count(*) " + WAITING) > 0);
  }

  /** Their connections break, and what became of their transactions they cannot know. */
  public void endThoseWhoWait() throws SQLException {
    number("select count(pg_terminate_backend(pid)) " + WAITING);
  }

  public void execute(String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  public long number(String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  @Override
  public void close() {
    pool.close();
  }
}
