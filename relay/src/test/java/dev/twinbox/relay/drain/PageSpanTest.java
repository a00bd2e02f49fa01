package dev.twinbox.relay.drain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How far the pages of a window look. */
class PageSpanTest {
  private static final long FLOOR = 1_000;
  private static final long CEILING = 50_000_000;

  private final PageSpan pageSpan = new PageSpan(window());

  @Test
  void withoutLateRowsAPageLooksAsFarAsTheCeiling() {
    assertThat(pageSpan.upTo(0, false)).isEqualTo(CEILING);
    assertThat(pageSpan.upTo(FLOOR + 5, false)).isEqualTo(CEILING);
  }

  @Test
  void withLateRowsItLooksTwiceAsFarAsTheLastFullOneCame() {
    long first = pageSpan.upTo(0, true);
    assertThat(first).isEqualTo(FLOOR + WindowReader.FIRST_SPAN);

    pageSpan.read(0, first, FLOOR + 20_000);

    assertThat(pageSpan.upTo(FLOOR + 20_000, true)).isEqualTo(FLOOR + 60_000);
  }

  @Test
  void itLooksFartherWhenItFindsLittleAndNeverBeyondTheCeiling() {
    long after = 0;
    int pages = 0;
    for (long upTo = pageSpan.upTo(after, true);
        upTo < CEILING;
        upTo = pageSpan.upTo(after, true)) {
      pageSpan.read(after, upTo, upTo);
      after = upTo;
      pages++;
    }
    assertThat(pages).isBetween(1, 5);
    pageSpan.read(after, CEILING, CEILING);
    assertThat(pageSpan.upTo(CEILING - 1, true)).isEqualTo(CEILING);
  }

  @Test
  void afterTheFirstPageRowsBelowTheFloorAreReadWithoutALookBeyondIt() {
    pageSpan.read(0, pageSpan.upTo(0, true), FLOOR / 4);
    assertThat(pageSpan.upTo(FLOOR / 4, true)).isEqualTo(FLOOR);
    assertThat(pageSpan.upTo(FLOOR / 4, false)).isEqualTo(CEILING);

    pageSpan.read(FLOOR / 4, FLOOR, FLOOR / 2);
    assertThat(pageSpan.upTo(FLOOR / 2, true)).isEqualTo(FLOOR);

    pageSpan.read(FLOOR / 2, FLOOR, FLOOR);
    assertThat(pageSpan.upTo(FLOOR, true)).isEqualTo(FLOOR + WindowReader.FIRST_SPAN);
  }

  @Test
  void itNeverLooksAtNothing() {
    long upTo = pageSpan.upTo(0, true);
    pageSpan.read(0, upTo, FLOOR + 1);

    assertThat(pageSpan.upTo(FLOOR + 1, true)).isGreaterThan(FLOOR + 5_000);
  }

  private static LaneState window() {
    return new LaneState(
        0, 1, "relay", null, 1, 1, "5:9:5", "9:9:", FLOOR, CEILING, CEILING, 0, List.of());
  }
}
