package dev.twinbox.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** A message at which the consumer's process dies, each time, among harmless ones. */
public abstract class ProcessKillerContract {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  // Its attempts; the first delivery and the first redelivery, both together with its batch, which
  // are held against nobody; and the one that gives it up.
  private static final int MOST_PROCESSES = KilledProcess.ATTEMPTS + 3;

  private final InboxDatabase database = InboxDatabase.create();
  private final String killer = Messages.id();

  /** The topic or queue. */
  protected final String name = "killer-" + Messages.id();

  /** To be sent in this order. */
  protected final List<String> ids = List.of(Messages.id(), killer, Messages.id(), Messages.id());

  @TempDir private Path folder = Path.of(".");

  @AfterEach
  void close() {
    database.close();
  }

  /**
   * Starts one process after the other until the message is quarantined.
   *
   * @param main consumes, by the arguments of {@link KilledProcess}
   * @param address the broker's
   */
  protected void dieUntilQuarantined(Class<?> main, String address)
      throws IOException, InterruptedException {
    int deaths = 0;
    for (int process = 1; process <= MOST_PROCESSES; process++) {
      Process consumer = KilledProcess.start(folder, database, main, address, name, killer);
      try {
        await()
            .atMost(PATIENCE)
            .until(() -> !consumer.isAlive() || database.effects().size() == ids.size() - 1);
        if (consumer.isAlive()) {
          break;
        }
        assertThat(consumer.exitValue()).isEqualTo(KilledProcess.KILLED);
        deaths++;
      } finally {
        consumer.destroyForcibly().waitFor();
      }
    }

    assertThat(deaths).isBetween(KilledProcess.ATTEMPTS, MOST_PROCESSES - 1);
    assertThat(database.quarantined()).containsExactly("attempts-exhausted");
    assertThat(database.texts("select id from twinbox.inbox_dead_letter")).containsExactly(killer);
    assertThat(database.effects()).containsExactly(ids.get(0), ids.get(2), ids.get(3));
  }
}
