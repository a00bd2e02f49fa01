package dev.twinbox.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class TallyTest {
  private final Tally tally = new Tally();

  @Tag("essential")
  @Test
  void aLineWithoutFaultsIsBalanced() {
    for (int order = 1; order <= 5; order++) {
      tally.committed(id(order), "key", order);
      tally.published(id(order));
      tally.applied("billing", id(order));
    }
    tally.rolledBack(id(99));

    TallyReport report = tally.check();
    assertThat(report.balanced()).as(report.toString()).isTrue();
    assertThat(report.committed()).isEqualTo(5);
    assertThat(report.rolledBack()).isEqualTo(1);
  }

  @Test
  void aMessageThatWasNeverPublishedIsLost() {
    tally.committed(id(1), null, 0);
    tally.committed(id(2), null, 0);
    tally.published(id(2));

    TallyReport report = tally.check();
    assertThat(report.lost()).isEqualTo(1);
    assertThat(report.balanced()).isFalse();
    assertThat(report.toString()).contains("NOT BALANCED", "published, lost: " + id(1));
  }

  @Test
  void aMessageThatOneConsumerNeverAppliedIsLostToIt() {
    tally.committed(id(1), null, 0);
    tally.published(id(1));
    tally.applied("billing", id(1));
    tally.expectConsumer("shipping");

    TallyReport report = tally.check();
    assertThat(report.lost()).isEqualTo(1);
    assertThat(report.toString()).contains("applied by shipping, lost: " + id(1));
  }

  @Test
  void whatNeverCommittedIsAGhostWhereverItAppears() {
    tally.rolledBack(id(1));
    tally.published(id(1));
    tally.applied("billing", id(2));

    TallyReport report = tally.check();
    assertThat(report.ghosts()).isEqualTo(2);
    assertThat(report.toString())
        .contains(id(1) + " (rolled back)")
        .contains(id(2) + " (never enqueued)");
  }

  @Test
  void aRepeatIsAllowedAtTheBrokerButNotInEffects() {
    tally.committed(id(1), "key", 1);
    tally.committed(id(2), "key", 2);
    tally.published(id(1));
    tally.published(id(2));
    tally.published(id(1));
    assertThat(tally.check().balanced()).isTrue();

    tally.applied("billing", id(1));
    tally.applied("billing", id(2));
    tally.applied("billing", id(1));

    TallyReport report = tally.check();
    assertThat(report.duplicates()).isEqualTo(1);
    assertThat(report.outOfOrder()).isZero();
    assertThat(report.views().get(0).repeats()).isEqualTo(1);
  }

  @Test
  void theOrderOfAKeyCountsAndThatOfDifferentKeysDoesNot() {
    tally.committed(id(1), "a", 1);
    tally.committed(id(2), "a", 2);
    tally.committed(id(3), "b", 1);
    tally.committed(id(4), null, 1);
    tally.published(id(4));
    tally.published(id(3));
    tally.published(id(2));
    tally.published(id(1));

    TallyReport report = tally.check();
    assertThat(report.outOfOrder()).isEqualTo(1);
    assertThat(report.toString()).contains(id(1) + " (a #1) after #2");
  }

  @Test
  void publicationCanBeToldBeforeTheCommit() {
    tally.published(id(2));
    tally.published(id(1));
    tally.committed(id(1), "a", 1);
    tally.committed(id(2), "a", 2);

    assertThat(tally.check().outOfOrder()).isEqualTo(1);
    assertThat(tally.check().ghosts()).isZero();
  }

  @Test
  void anUnknownCommitMayAppearOrNot() {
    tally.unknown(id(1), "a", 1);
    tally.unknown(id(2), "a", 2);
    tally.published(id(2));

    assertThat(tally.check().balanced()).isTrue();
    assertThat(tally.check().unknown()).isEqualTo(2);
  }

  @Test
  void aMessageSetAsideIsNotLostAndMayComeLater() {
    tally.committed(id(1), "a", 1);
    tally.committed(id(2), "a", 2);
    tally.committed(id(3), "a", 3);
    tally.setAside(id(1));
    tally.setAside(id(2));
    tally.published(id(3));
    tally.published(id(1));

    assertThat(tally.check().balanced()).isTrue();
  }

  @Test
  void publicationIsExpectedUnlessItIsIgnored() {
    tally.committed(id(1), "a", 1);
    tally.applied("billing", id(1));
    assertThat(tally.check().lost()).isEqualTo(1);

    tally.ignorePublication();
    assertThat(tally.check().balanced()).isTrue();
    assertThatThrownBy(() -> tally.published(id(1))).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void aRepeatIsExplainedByADoubtSinceItsFirstPublication() {
    tally.committed(id(1), "a", 1);
    tally.committed(id(2), "a", 2);
    tally.doubt(second(10), second(20));
    tally.published(id(1), second(5));
    tally.published(id(2), second(15));
    tally.published(id(1), second(10));
    tally.published(id(2), second(30));

    assertThat(tally.check().balanced()).as(tally.check().toString()).isTrue();
    assertThat(tally.check().views().get(0).repeats()).isEqualTo(2);
  }

  @Tag("essential")
  @Test
  void aRepeatBeforeOrAfterEveryDoubtIsUnexplained() {
    tally.committed(id(1), "a", 1);
    tally.committed(id(2), "a", 2);
    tally.doubt(second(10), second(12));
    tally.doubt(second(11), second(20));
    tally.published(id(1), second(5));
    tally.published(id(1), second(9));
    tally.published(id(2), second(21));
    tally.published(id(2), second(22));

    TallyReport report = tally.check();
    assertThat(report.unexplained()).isEqualTo(2);
    assertThat(report.balanced()).isFalse();
    assertThat(report.toString()).contains("published, unexplained: " + id(2) + " (a #2)");
  }

  @Test
  void aDoubtBetweenTwoOthersJoinsThem() {
    tally.committed(id(1), "a", 1);
    tally.doubt(second(30), second(40));
    tally.doubt(second(10), second(20));
    tally.doubt(second(15), second(35));
    tally.published(id(1), second(22));
    tally.published(id(1), second(28));

    assertThat(tally.check().unexplained()).isZero();
    assertThatThrownBy(() -> tally.doubt(second(2), second(1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aMessageHasOneOutcome() {
    tally.committed(id(1), "a", 1);

    assertThatThrownBy(() -> tally.rolledBack(id(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(id(1).toString());
  }

  @Tag("essential")
  @Test
  void aMillionMessagesAreCountedAndTwentyAreNamed() {
    for (int order = 0; order < 1_000_000; order++) {
      tally.committed(id(order), "key " + order % 1000, order);
      if (order % 1000 != 7) {
        tally.published(id(order));
      }
    }

    TallyReport report = tally.check();
    assertThat(report.committed()).isEqualTo(1_000_000);
    assertThat(report.lost()).isEqualTo(1000);
    assertThat(report.views().get(0).lost().examples()).hasSize(20);
  }

  private static Instant second(long second) {
    return Instant.ofEpochSecond(second);
  }

  private static UUID id(long number) {
    return new UUID(0x0197_0000_0000_7000L, 0x8000_0000_0000_0000L + number);
  }
}
