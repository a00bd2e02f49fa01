package dev.twinbox.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Messages whose payload is their key's count, many a transaction, and the check that a broker's
 * log has each of them, each key's first appearances in order.
 */
public final class KeyedLoad {
  private static final int KEYS = 40;
  private static final int LANES = 4;

  private final OutboxDatabase database;
  private final String destination;
  private final int firstLane;
  private int committed;

  /**
   * @param firstLane 0 for Kafka's lanes, 4 for RabbitMQ's
   */
  public KeyedLoad(OutboxDatabase database, String destination, int firstLane) {
    this.database = database;
    this.destination = destination;
    this.firstLane = firstLane;
  }

  /** Commits so many messages for each key. */
  public void commit(int perKey) throws SQLException {
    database.execute(
        ("insert into twinbox.outbox (lane, id, destination, key, type, payload) select %s + k %%"
                + " %s, gen_random_uuid(), '%s', 'k' || k, 'test', convert_to('k' || k || ':' || n,"
                + " 'UTF8') from generate_series(%s, %s) n cross join generate_series(0, %s) k order"
                + " by n, k")
            .formatted(firstLane, LANES, destination, committed + 1, committed + perKey, KEYS - 1));
    committed += perKey;
  }

  public int messages() {
    return committed * KEYS;
  }

  /** How many different messages there are among these payloads. */
  public static int distinct(List<String> payloads) {
    return new HashSet<>(payloads).size();
  }

  /** Repeats are allowed, and nothing else. */
  public void assertCompleteAndInOrder(List<String> payloads) {
    Map<String, Integer> last = new HashMap<>();
    Set<String> seen = new HashSet<>();
    for (String payload : payloads) {
      if (seen.add(payload)) {
        String key = payload.substring(0, payload.indexOf(':'));
        int count = Integer.parseInt(payload.substring(payload.indexOf(':') + 1));
        assertThat(count).as("first appearance in order: %s", payload).isEqualTo(next(last, key));
        last.put(key, count);
      }
    }
    assertThat(seen).hasSize(messages());
  }

  private static int next(Map<String, Integer> last, String key) {
    return last.getOrDefault(key, 0) + 1;
  }
}
