package dev.twinbox.outbox.testing;

import dev.twinbox.outbox.Enqueued;
import dev.twinbox.outbox.Message;
import dev.twinbox.outbox.Outbox;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/**
 * An outbox for unit tests: it checks messages as the real one does, and remembers them. It needs
 * no database and never touches the connection it is given, which may be null; so it cannot know of
 * a rollback, nor refuse what is in no transaction. Thread-safe.
 */
public final class RecordingOutbox implements Outbox {
  private final Outbox rules;
  private final Function<Object, Message> events;
  private final List<Message> messages = new ArrayList<>();
  private final Map<String, UUID> dedupKeys = new HashMap<>();

  /** With the default limits. */
  public RecordingOutbox() {
    this(Outbox.builder().source("/recording").build());
  }

  /**
   * With the limits and the codec of the application's own outbox.
   *
   * @param rules checks and encodes the messages; nothing is enqueued there, but wake-ups pass
   *     through
   */
  public RecordingOutbox(Outbox rules) {
    this(
        rules,
        event -> {
          throw new IllegalArgumentException(event.getClass().getName() + " is no Message.");
        });
  }

  /**
   * The same for an application that enqueues its events as they are.
   *
   * @param events as it is given to {@link Outbox.Builder#events}
   */
  public RecordingOutbox(Outbox rules, Function<Object, Message> events) {
    this.rules = Objects.requireNonNull(rules, "rules");
    this.events = Objects.requireNonNull(events, "events");
  }

  /** What was enqueued so far, in order, with ids and encoded payloads; duplicates left out. */
  public synchronized List<Message> messages() {
    return List.copyOf(messages);
  }

  /** Forgets everything, dedup keys too. */
  public synchronized void clear() {
    messages.clear();
    dedupKeys.clear();
  }

  @Override
  public Enqueued enqueue(Message message) {
    return record(List.of(message)).get(0);
  }

  @Override
  public Enqueued enqueue(Object event) {
    return enqueue(event instanceof Message message ? message : events.apply(event));
  }

  @Override
  public List<Enqueued> enqueueAll(Collection<Message> messages) {
    return record(messages);
  }

  @Override
  public boolean cancel(UUID id) {
    return remove(id);
  }

  @Override
  public Enqueued enqueue(@Nullable DSLContext dsl, Message message) {
    return record(List.of(message)).get(0);
  }

  @Override
  public Enqueued enqueue(@Nullable Connection connection, Message message) {
    return record(List.of(message)).get(0);
  }

  @Override
  public List<Enqueued> enqueueAll(@Nullable DSLContext dsl, Collection<Message> messages) {
    return record(messages);
  }

  @Override
  public List<Enqueued> enqueueAll(@Nullable Connection connection, Collection<Message> messages) {
    return record(messages);
  }

  /**
   * {@inheritDoc}
   *
   * <p>Here a message waits if it was given a delay or a time of delivery, however long ago; once
   * cancelled it is no longer among {@link #messages()}.
   */
  @Override
  public boolean cancel(@Nullable DSLContext dsl, UUID id) {
    return remove(id);
  }

  @Override
  public boolean cancel(@Nullable Connection connection, UUID id) {
    return remove(id);
  }

  private synchronized boolean remove(UUID id) {
    return messages.removeIf(
        message ->
            id.equals(message.id()) && (message.delay() != null || message.deliverAt() != null));
  }

  @Override
  public Message prepare(Message message) {
    return rules.prepare(message);
  }

  @Override
  public void wake() {
    rules.wake();
  }

  @Override
  public Subscription onWake(Runnable listener) {
    return rules.onWake(listener);
  }

  private synchronized List<Enqueued> record(Collection<Message> enqueued) {
    // Prepared before any is kept: a refused message leaves nothing of its batch behind.
    List<Message> prepared = enqueued.stream().map(rules::prepare).toList();
    List<Enqueued> results = new ArrayList<>(prepared.size());
    for (Message message : prepared) {
      UUID id = Objects.requireNonNull(message.id());
      String dedupKey = message.dedupKey();
      UUID first = dedupKey == null ? null : dedupKeys.putIfAbsent(dedupKey, id);
      if (first == null) {
        messages.add(message);
      }
      results.add(new Enqueued(first == null ? id : first, first != null));
    }
    return List.copyOf(results);
  }
}
