package dev.twinbox.outbox;

import dev.twinbox.postgres.CallersTransaction;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;

/** The outbox itself: checks first, then plain JDBC on the caller's connection. */
final class JdbcOutbox implements Outbox {
  private final OutboxSql sql;
  private final MessageEncoder encoder;
  private final @Nullable DSLContext current;
  private final Function<Object, Message> events;
  private final SingleInsert single;
  private final BatchInsert batch;
  private final Wakeups wakeups = new Wakeups();

  JdbcOutbox(
      OutboxSql sql,
      MessageEncoder encoder,
      @Nullable DSLContext current,
      Function<Object, Message> events) {
    this.sql = sql;
    this.encoder = encoder;
    this.current = current;
    this.events = events;
    this.single = new SingleInsert(sql);
    this.batch = new BatchInsert(sql);
  }

  @Override
  public Enqueued enqueue(Message message) {
    return enqueue(current(), message);
  }

  @Override
  public Enqueued enqueue(Object event) {
    return enqueue(current(), event instanceof Message message ? message : events.apply(event));
  }

  @Override
  public List<Enqueued> enqueueAll(Collection<Message> messages) {
    return enqueueAll(current(), messages);
  }

  @Override
  public boolean cancel(UUID id) {
    return cancel(current(), id);
  }

  private DSLContext current() {
    if (current == null) {
      throw new IllegalStateException(
          "The outbox does not know where the current transaction is. Pass its DSLContext or"
              + " Connection, or give the outbox's builder currentTransaction(...).");
    }
    return current;
  }

  @Override
  public Enqueued enqueue(DSLContext dsl, Message message) {
    OutboxRow row = encoder.encode(message);
    return CallersTransaction.in(dsl, connection -> store(connection, row));
  }

  @Override
  public Enqueued enqueue(Connection connection, Message message) {
    OutboxRow row = encoder.encode(message);
    return CallersTransaction.in(connection, mine -> store(mine, row));
  }

  @Override
  public List<Enqueued> enqueueAll(DSLContext dsl, Collection<Message> messages) {
    List<OutboxRow> rows = encode(messages);
    return rows.isEmpty()
        ? List.of()
        : CallersTransaction.in(dsl, connection -> store(connection, rows));
  }

  @Override
  public List<Enqueued> enqueueAll(Connection connection, Collection<Message> messages) {
    List<OutboxRow> rows = encode(messages);
    return rows.isEmpty()
        ? List.of()
        : CallersTransaction.in(connection, mine -> store(mine, rows));
  }

  @Override
  public boolean cancel(DSLContext dsl, UUID id) {
    Objects.requireNonNull(id, "id");
    return CallersTransaction.in(dsl, connection -> remove(connection, id));
  }

  @Override
  public boolean cancel(Connection connection, UUID id) {
    Objects.requireNonNull(id, "id");
    return CallersTransaction.in(connection, mine -> remove(mine, id));
  }

  private boolean remove(Connection connection, UUID id) {
    try (UnnamedStatements unnamed = UnnamedStatements.behindProxy(connection);
        PreparedStatement cancel = connection.prepareStatement(sql.cancel)) {
      cancel.setObject(1, id);
      try (ResultSet result = cancel.executeQuery()) {
        boolean cancelled = result.next() && result.getBoolean(1);
        if (result.wasNull()) {
          throw CallersTransaction.readOnlyByServer();
        }
        return cancelled;
      }
    } catch (SQLException e) {
      throw failure("Message " + id, "cancelled", e);
    }
  }

  @Override
  public Message prepare(Message message) {
    OutboxRow row = encoder.encode(message);
    return message.stored(row.id(), row.payload(), row.contentType());
  }

  @Override
  public void wake() {
    wakeups.wake();
  }

  @Override
  public Subscription onWake(Runnable listener) {
    return wakeups.add(Objects.requireNonNull(listener, "listener"));
  }

  private List<OutboxRow> encode(Collection<Message> messages) {
    List<OutboxRow> rows = new ArrayList<>(messages.size());
    for (Message message : messages) {
      rows.add(encoder.encode(message));
    }
    return rows;
  }

  private Enqueued store(Connection connection, OutboxRow row) {
    if (!row.isPlain()) {
      return store(connection, List.of(row)).get(0);
    }
    StorableText.check(connection, List.of(row));
    try (UnnamedStatements unnamed = UnnamedStatements.behindProxy(connection)) {
      if (row.message().isOrdered()) {
        batch.lockKeys(connection, List.of(row));
      }
      if (!single.insert(connection, row)) {
        throw new NoLanesException(List.of(row.broker()), sql.schema);
      }
    } catch (SQLException e) {
      throw failure("Message " + row.id(), "enqueued", e);
    }
    wakeAfterCommit();
    return new Enqueued(row.id(), false);
  }

  private List<Enqueued> store(Connection connection, List<OutboxRow> rows) {
    StorableText.check(connection, rows);
    List<Enqueued> results;
    try (UnnamedStatements unnamed = UnnamedStatements.behindProxy(connection)) {
      batch.lockKeys(connection, rows);
      results = batch.insert(connection, rows);
    } catch (SQLException e) {
      throw failure(
          rows.size() == 1 ? "Message " + rows.get(0).id() : rows.size() + " messages",
          "enqueued",
          e);
    }
    wakeAfterCommit();
    return results;
  }

  private void wakeAfterCommit() {
    if (!wakeups.isEmpty()) {
      SpringCommit.wakeAfterCommit(wakeups);
    }
  }

  private DataAccessException failure(String what, String done, SQLException e) {
    return SqlFailure.of(what + " could not be " + done, sql.schema, e);
  }
}
