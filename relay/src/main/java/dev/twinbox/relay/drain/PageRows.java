package dev.twinbox.relay.drain;

import dev.twinbox.relay.store.WindowReader;

/**
 * How many rows a page asks for. The database has to unpack as many to know their sizes, though a
 * page of large ones ends after a few: so after such a page, twice as many as that had. Used by the
 * lane's thread.
 */
final class PageRows {
  private static final int LEAST = 32;
  private static final int GROWTH = 4;

  private final int most;
  private int rows;

  /**
   * @param most the largest page
   */
  PageRows(int most) {
    this.most = most;
    this.rows = most;
  }

  /** What the next page asks for. */
  int next() {
    return rows;
  }

  /** Learns from a page that was asked for so many rows. */
  void read(WindowReader.Page page, int asked) {
    int got = page.rows().size();
    boolean endedByBytes =
        got > 0
            && got < asked
            && !page.isLast()
            && page.upTo() == page.rows().get(got - 1).record().position();
    rows =
        endedByBytes
            ? Math.min(most, Math.max(LEAST, 2 * got))
            : (int) Math.min(most, (long) GROWTH * rows);
  }
}
