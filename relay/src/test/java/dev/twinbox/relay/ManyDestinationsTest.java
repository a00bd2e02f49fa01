package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Routing keys without end: what the relay remembers of destinations has an end. */
@Timeout(120)
class ManyDestinationsTest {
  private static final int DESTINATIONS = 100_000;

  /** What any collection of the relay may hold. */
  private static final int BOUND = 20_000;

  private final OutboxDatabase database = new OutboxDatabase(1_000_000, 4);
  private final MemoryBroker broker = new MemoryBroker("rabbitmq");
  private final Relay relay =
      Relay.builder().dataSource(database.dataSource()).broker(broker.borrowed()).build();

  @AfterEach
  void close() {
    relay.close();
    broker.close();
    database.close();
  }

  @Test
  void whatIsRememberedOfAHundredThousandDestinationsIsBounded() throws Exception {
    database.execute(
        "insert into twinbox.outbox (lane, id, destination, type) select 4 + n % 4,"
            + " gen_random_uuid(), 'rabbitmq:orders/placed.' || n, 'test' from generate_series(1, "
            + DESTINATIONS
            + ") n");
    relay.start();

    await().atMost(Duration.ofSeconds(60)).until(() -> broker.count() >= DESTINATIONS);

    assertThat(new Remembered(relay).largerThan(BOUND)).isEmpty();
  }

  @Test
  void theWalkFindsWhatIsTooLarge() throws Exception {
    Holder holder = new Holder(Collections.nCopies(BOUND + 1, 1));

    assertThat(new Remembered(holder).largerThan(BOUND)).hasSize(1);
  }

  private record Holder(Collection<Integer> numbers) {}

  /** The collections that can be reached from an object through fields of Twinbox's classes. */
  private static final class Remembered {
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Deque<Object> left = new ArrayDeque<>();

    Remembered(Object root) {
      left.add(root);
    }

    /** By the field that holds it, with its size. */
    Map<String, Integer> largerThan(int bound) throws IllegalAccessException {
      Map<String, Integer> larger = new TreeMap<>();
      for (Object next = left.poll(); next != null; next = left.poll()) {
        for (Class<?> kind = next.getClass(); kind != null; kind = kind.getSuperclass()) {
          if (!kind.getName().startsWith("dev.twinbox.") || !seen.add(kind.cast(next))) {
            continue;
          }
          for (Field field : kind.getDeclaredFields()) {
            int size = look(next, field);
            if (size > bound) {
              larger.put(field.toString(), size);
            }
          }
        }
      }
      return larger;
    }

    private int look(Object owner, Field field) throws IllegalAccessException {
      if (field.getType().isPrimitive() || Modifier.isStatic(field.getModifiers())) {
        return 0;
      }
      field.setAccessible(true);
      Object value = field.get(owner);
      if (value instanceof Map<?, ?> map) {
        map.keySet().forEach(this::add);
        map.values().forEach(this::add);
        return map.size();
      }
      if (value instanceof Collection<?> all) {
        all.forEach(this::add);
        return all.size();
      }
      add(value instanceof AtomicReference<?> reference ? reference.get() : value);
      return 0;
    }

    private void add(@Nullable Object found) {
      // The test's broker keeps all messages, so that they can be counted.
      if (found != null && !(found instanceof MemoryBroker) && !seen.contains(found)) {
        left.add(found);
      }
    }
  }
}
