package dev.twinbox.relay.drain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How far the pages of a window look. */
class ReachTest {
  private static final long FLOOR = 1_000;
  private static final long CEILING = 50_000_000;

  private final Reach reach = new Reach(window());

  @Test
  void withoutLateRowsAPageLooksAsFarAsTheCeiling() {
    assertThat(reach.upTo(0, false)).isEqualTo(CEILING);
    assertThat(reach.upTo(FLOOR + 5, false)).isEqualTo(CEILING);
  }

  @Test
  void withLateRowsItLooksTwiceAsFarAsTheLastFullOneCame() {
    long first = reach.upTo(0, true);
    assertThat(first).isEqualTo(FLOOR + WindowReader.FIRST_SPAN);

    reach.read(0, first, FLOOR + 20_000);

    assertThat(reach.upTo(FLOOR + 20_000, true)).isEqualTo(FLOOR + 60_000);
  }

  @Test
  void itLooksFartherWhenItFindsLittleAndNeverBeyondTheCeiling() {
    long after = 0;
    int pages = 0;
    for (long upTo = reach.upTo(after, true); upTo < CEILING; upTo = reach.upTo(after, true)) {
      reach.read(after, upTo, upTo);
      after = upTo;
      pages++;
    }
    assertThat(pages).isBetween(1, 5);
    reach.read(after, CEILING, CEILING);
    assertThat(reach.upTo(CEILING - 1, true)).isEqualTo(CEILING);
  }

  @Test
  void afterTheFirstPageRowsBelowTheFloorAreReadWithoutALookBeyondIt() {
    reach.read(0, reach.upTo(0, true), FLOOR / 4);
    assertThat(reach.upTo(FLOOR / 4, true)).isEqualTo(FLOOR);
    assertThat(reach.upTo(FLOOR / 4, false)).isEqualTo(CEILING);

    reach.read(FLOOR / 4, FLOOR, FLOOR / 2);
    assertThat(reach.upTo(FLOOR / 2, true)).isEqualTo(FLOOR);

    reach.read(FLOOR / 2, FLOOR, FLOOR);
    assertThat(reach.upTo(FLOOR, true)).isEqualTo(FLOOR + WindowReader.FIRST_SPAN);
  }

  @Test
  void itNeverLooksAtNothing() {
    long upTo = reach.upTo(0, true);
    reach.read(0, upTo, FLOOR + 1);

    assertThat(reach.upTo(FLOOR + 1, true)).isGreaterThan(FLOOR + 5_000);
  }

  private static LaneState window() {
    return new LaneState(
        0, 1, "relay", null, 1, 1, "5:9:5", "9:9:", FLOOR, CEILING, CEILING, 0, List.of());
  }
}
