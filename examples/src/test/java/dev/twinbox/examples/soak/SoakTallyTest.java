package dev.twinbox.examples.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.examples.soak.Schedule.Step;
import dev.twinbox.testkit.FaultProxy;
import dev.twinbox.testkit.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The count at the end, over tables and a broker's contents that were made up. */
class SoakTallyTest {
  private static final Instant NOON = Instant.parse("2030-01-01T12:00:00Z");

  private final DSLContext database =
      DSL.using(TestPostgres.shared().createDatabase().dataSource(), SQLDialect.POSTGRES);
  private final Contents broker = new Contents();
  private final List<InjectedFault> injected = new ArrayList<>();
  private final List<String> leftovers = new ArrayList<>();

  @BeforeEach
  void threeMessagesOfOneKeyAndOneWithoutWentThrough() {
    SoakTables.create(database);
    for (int i = 1; i <= 3; i++) {
      sent(i, "locked-1", i);
      broker.holds(i, NOON.plusSeconds(i));
      applied("locked-1", i, i);
    }
    sent(4, SoakTables.KEYLESS, 1);
    broker.holds(4, NOON.plusSeconds(4));
    applied(SoakTables.KEYLESS, 1, 4);
  }

  @Test
  void whatWentThroughIsBalanced() {
    SoakReport report = count();

    assertThat(report.balanced()).isTrue();
    assertThat(report.committed()).isEqualTo(4);
    assertThat(report.published()).isEqualTo(4);
    assertThat(report.effects()).isEqualTo(4);
  }

  @Test
  void aCommittedMessageThatTheBrokerDoesNotHoldIsLost() {
    sent(5, "locked-1", 4);
    applied("locked-1", 4, 5);

    assertThat(count().lost()).isEqualTo(1);
    assertThat(count().balanced()).isFalse();
  }

  @Test
  void aPublishedMessageWithoutEffectIsLost() {
    sent(5, "locked-1", 4);
    broker.holds(5, NOON.plusSeconds(5));

    assertThat(count().lost()).isEqualTo(1);
  }

  @Test
  void aMessageThatTheRecoveredTablesDoNotHaveIsAGhost() {
    broker.holds(9, NOON.plusSeconds(9));

    SoakReport report = count();
    assertThat(report.ghosts()).isEqualTo(1);
    assertThat(report.balanced()).isFalse();
  }

  @Test
  void aSecondEffectOfAMessageIsADuplicate() {
    applied("locked-1", 4, 2);

    SoakReport report = count();
    assertThat(report.duplicateEffects()).isEqualTo(1);
    assertThat(report.effects()).isEqualTo(5);
    assertThat(report.balanced()).isFalse();
  }

  @Test
  void publicationAndEffectsInAnotherOrderThanCommitsAreOutOfOrder() {
    sent(5, "ordered-1", 2);
    sent(6, "ordered-1", 1);
    broker.holds(5, NOON.plusSeconds(5));
    broker.holds(6, NOON.plusSeconds(6));
    applied("ordered-1", 1, 5);
    applied("ordered-1", 2, 6);

    SoakReport report = count();
    assertThat(report.outOfOrder()).isEqualTo(2);
    assertThat(report.balanced()).isFalse();
  }

  @Test
  void messagesWithoutAKeyHaveNoOrder() {
    sent(5, SoakTables.KEYLESS, 3);
    sent(6, SoakTables.KEYLESS, 2);
    broker.holds(5, NOON.plusSeconds(5));
    broker.holds(6, NOON.plusSeconds(6));
    applied(SoakTables.KEYLESS, 2, 5);
    applied(SoakTables.KEYLESS, 3, 6);

    assertThat(count().balanced()).isTrue();
  }

  @Test
  void aRepeatIsExplainedByAFaultThatLeftARelayInDoubt() {
    broker.holds(1, NOON.plusSeconds(60));
    injected.add(fault(FaultKind.KILL_RELAY, NOON.plusSeconds(30), true));

    SoakReport report = count();
    assertThat(report.repeats()).isEqualTo(1);
    assertThat(report.balanced()).isTrue();
  }

  @Test
  void aRepeatIsNotExplainedByAFaultThatHitSomebodyElseOrNothing() {
    broker.holds(1, NOON.plusSeconds(60));
    injected.add(fault(FaultKind.KILL_CONSUMER, NOON.plusSeconds(30), true));
    injected.add(fault(FaultKind.KILL_RELAY, NOON.plusSeconds(30), false));

    SoakReport report = count();
    assertThat(report.unexplained()).isEqualTo(1);
    assertThat(report.balanced()).isFalse();
  }

  @Test
  void aRepeatIsNotExplainedByAFaultThatWasOverLongBefore() {
    broker.holds(1, NOON.plusSeconds(60));
    injected.add(fault(FaultKind.KILL_RELAY, NOON.minusSeconds(60), true));

    assertThat(count().unexplained()).isEqualTo(1);
  }

  @Test
  void whatIsLeftOverIsUnexplained() {
    leftovers.add("2 messages in the outbox are not settled");

    SoakReport report = count();
    assertThat(report.unexplained()).isEqualTo(1);
    assertThat(report.balanced()).isFalse();
  }

  @Test
  void faultsAreCountedByKindIfTheyHit() {
    injected.add(fault(FaultKind.KILL_RELAY, NOON, true));
    injected.add(fault(FaultKind.KILL_RELAY, NOON, false));

    SoakReport report = count();
    assertThat(report.faultsHit()).isEqualTo(1);
    assertThat(report.faults())
        .containsEntry("kill-relay", new SoakReport.Hits(2, 1))
        .containsEntry("kill-broker", new SoakReport.Hits(2, 0));
  }

  private SoakReport count() {
    SoakOptions options =
        new SoakOptions(
            SoakBrokerChoice.KAFKA,
            1,
            Duration.ofSeconds(60),
            4,
            SoakBrokerChoice.KAFKA.faults(),
            1);
    return new SoakTally(database, broker, options).count(injected, leftovers, 1).report();
  }

  private static InjectedFault fault(FaultKind kind, Instant at, boolean hit) {
    InjectedFault fault =
        new InjectedFault(new Step(1, kind, 0, Duration.ZERO, Duration.ZERO), "somewhere", at, hit);
    fault.healed(at);
    return fault;
  }

  private void sent(int number, String key, long sequence) {
    database.execute(
        "insert into soak.sent values (?, ?, ?, 'producer-1')", id(number), key, sequence);
  }

  private void applied(String key, long nth, int number) {
    database.execute(
        "insert into soak.effect values (?, ?, ?, 'consumer-1')", key, nth, id(number));
  }

  private static UUID id(long number) {
    return new UUID(0x0197_0000_0000_7000L, 0x8000_0000_0000_0000L + number);
  }

  /** A broker that is nothing but its contents. */
  private static final class Contents implements SoakBroker {
    private final List<Entry> entries = new ArrayList<>();

    void holds(int number, Instant at) {
      entries.add(new Entry(id(number), at, "0:" + entries.size()));
    }

    @Override
    public void read(Consumer<Entry> reader) {
      entries.forEach(reader);
    }

    @Override
    public String destination() {
      return "kafka:soak";
    }

    @Override
    public String lanes() {
      return "kafka";
    }

    @Override
    public Map<String, String> relayEnvironment(String process) {
      return Map.of();
    }

    @Override
    public Map<String, String> consumerValues(String process) {
      return Map.of();
    }

    @Override
    public List<FaultProxy> proxies(String process) {
      return List.of();
    }

    @Override
    public int nodes() {
      return 3;
    }

    @Override
    public void kill(int node) {}

    @Override
    public void restart(int node) {}

    @Override
    public void pause(int node) {}

    @Override
    public void resume(int node) {}

    @Override
    public void raiseAlarm() {}

    @Override
    public void clearAlarm() {}

    @Override
    public long unacknowledged() {
      return 0;
    }

    @Override
    public long setAside() {
      return 0;
    }

    @Override
    public void saveLogs(Path folder) {}

    @Override
    public void close() {}
  }
}
