package dev.twinbox.inbox.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** When messages are taken one at a time. */
class CautionTest {
  private final Caution caution = new Caution("q", 3);

  @Test
  void connectionsThatBroughtNothingTellNothing() {
    for (int i = 0; i < 10; i++) {
      caution.connectionLost(null, /* delivered= */ false, 0);
    }

    assertThat(caution.isTaken()).isFalse();
  }

  @Test
  void whatIsLostTwiceWithMessagesInHandAndNoneAcknowledgedIsTakenOneByOne() {
    caution.connectionLost(null, /* delivered= */ true, 0);
    assertThat(caution.isTaken()).isFalse();
    caution.connectionLost(null, /* delivered= */ false, 0);
    caution.connectionLost(null, /* delivered= */ true, 0);

    assertThat(caution.isTaken()).isTrue();
    assertThat(caution.endsAfter(2)).isFalse();
    assertThat(caution.endsAfter(3)).isTrue();
    assertThat(caution.isTaken()).isFalse();
  }

  @Test
  void progressInBetweenForgetsALoss() {
    caution.connectionLost(null, /* delivered= */ true, 0);
    caution.connectionLost(null, /* delivered= */ true, 5);
    caution.connectionLost(null, /* delivered= */ true, 0);

    assertThat(caution.isTaken()).isFalse();
  }
}
