package dev.twinbox.relay.store;

/**
 * From where in the order of due times the next look begins. Usually at the very beginning: that
 * finds everything, however late it was committed, and costs one descent of the index. It costs
 * more where many have gone lately and a transaction keeps the database from forgetting them; then
 * a look begins where the last one ended, less an overlap, and at the very beginning only so often
 * that it takes a fiftieth of the time. Guarded by itself.
 */
final class DueMark {
  /**
   * How long before the end of the last look the next one begins, in SQL: what was committed so
   * long after it was due is found at once.
   */
  static final String OVERLAP = " interval '5 seconds'";

  private static final int WHOLE_LOOKS_SHARE = 50;
  private static final String BEGINNING = "-infinity";

  private String dueAt = BEGINNING;
  private long number;
  private String endedAt = BEGINNING;
  private long endedNumber;
  private boolean whole;
  private long begunNanos;
  private long wholeLookNanos;
  private long wholeLookEnded = System.nanoTime();

  /** A look begins now. */
  void begin() {
    begunNanos = System.nanoTime();
    whole = begunNanos - wholeLookEnded >= WHOLE_LOOKS_SHARE * wholeLookNanos;
    dueAt = whole ? BEGINNING : endedAt;
    number = whole ? 0 : endedNumber;
  }

  /** The look that has begun looks beyond this due time. */
  String dueAt() {
    return dueAt;
  }

  /** And, of this due time, beyond this number. */
  long number() {
    return number;
  }

  /** The look has ended, and nothing is left up to here. */
  void reached(String upTo, long upToNumber) {
    endedAt = upTo;
    endedNumber = upToNumber;
    if (whole) {
      wholeLookEnded = System.nanoTime();
      wholeLookNanos = wholeLookEnded - begunNanos;
    }
  }
}
