package dev.twinbox.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.OutcomeListener;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Listens, and insists that each record is settled once. */
public final class Outcomes implements OutcomeListener {
  private final Map<UUID, Outcome> settled = new LinkedHashMap<>();
  private final List<UUID> twice = new ArrayList<>();

  @Override
  public synchronized void settled(OutboxRecord record, Outcome outcome) {
    if (settled.put(record.id(), outcome) != null) {
      twice.add(record.id());
    }
  }

  /** What is known of the record now, or null. */
  public synchronized @Nullable Outcome now(OutboxRecord record) {
    assertThat(twice).as("settled twice").isEmpty();
    return settled.get(record.id());
  }

  /** The record's outcome, waited for. */
  public Outcome of(OutboxRecord record) {
    Outcome present = now(record);
    if (present != null) {
      return present;
    }
    await("outcome of " + record.id())
        .pollInterval(Duration.ofMillis(5))
        .atMost(Duration.ofSeconds(60))
        .until(() -> now(record) != null);
    return Objects.requireNonNull(now(record));
  }

  /** How many records have one. */
  public synchronized int count() {
    assertThat(twice).as("settled twice").isEmpty();
    return settled.size();
  }

  /** Waits for all of these to be published. */
  public void expectPublished(List<OutboxRecord> records) {
    await("outcomes of %s records".formatted(records.size()))
        .pollInterval(Duration.ofMillis(5))
        .atMost(Duration.ofSeconds(60))
        .until(() -> records.stream().allMatch(record -> now(record) != null));
    assertThat(records).allSatisfy(r -> assertThat(now(r)).isEqualTo(Outcome.PUBLISHED));
  }
}
