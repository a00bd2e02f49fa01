package dev.twinbox.relay.drain;

import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;

/**
 * How far the pages of one window look. Without late transactions a page ends when it is full, and
 * may look as far as the ceiling. With them it may be full of late rows alone, having walked all
 * that lies between them and the ceiling for nothing; the next page would walk it again, and of a
 * transaction with millions of rows each page would cost millions. So pages then look twice as far
 * as the last full one reached, and farther when they find little.
 *
 * <p>Used by the lane's thread.
 */
final class PageSpan {
  /** A page's rows of a lane among those of many lanes. */
  private static final long LEAST = 10_000;

  private static final long FURTHER = 4;

  private final LaneState window;
  private long span = WindowReader.FIRST_SPAN;
  private int pagesRead;

  PageSpan(LaneState window) {
    this.window = window;
  }

  /**
   * The position up to which the next page looks.
   *
   * @param after what was read before
   * @param anyLate whether there may be late rows
   */
  long upTo(long after, boolean anyLate) {
    if (anyLate && pagesRead > 0 && after < window.floor()) {
      // Only late rows lie there, and until they are read nothing beyond the floor has its turn.
      return window.floor();
    }
    long from = Math.max(window.floor(), after);
    // Below the ceiling, whatever the sum is.
    return anyLate && span < window.ceiling() - from ? from + span : window.ceiling();
  }

  /** Learns from a page: where it began, how far it was to look, and how far it came. */
  void read(long after, long upTo, long reached) {
    pagesRead++;
    if (reached <= window.floor()) {
      return; // late rows, which the page came to without walking others
    }
    long from = Math.max(window.floor(), after);
    if (reached < upTo) {
      span = Math.max(LEAST, 2 * (reached - from));
    } else {
      span = Math.min(span, Long.MAX_VALUE / FURTHER) * FURTHER;
    }
  }
}
