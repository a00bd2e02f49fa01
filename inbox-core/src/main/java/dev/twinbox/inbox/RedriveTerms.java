package dev.twinbox.inbox;

/**
 * How a redrive is done: {@code RedriveTerms.by("alice").perSecond(20)}.
 *
 * @param by who asks for it, for the record
 * @param perSecond the most messages a second, above 0; default 50
 * @param beyondHorizon whether messages are handled that are too old for anybody to say whether
 *     they were processed; default no
 */
public record RedriveTerms(String by, double perSecond, boolean beyondHorizon) {
  private static final double DEFAULT_PER_SECOND = 50;
  private static final double MOST_PER_SECOND = 100_000;

  public RedriveTerms {
    if (!(perSecond > 0 && perSecond <= MOST_PER_SECOND)) {
      throw new IllegalArgumentException(
          "perSecond is %s; choose more than 0 and at most 100,000.".formatted(perSecond));
    }
  }

  /** Asked for by the given operator, at most 50 a second. */
  public static RedriveTerms by(String operator) {
    return new RedriveTerms(operator, DEFAULT_PER_SECOND, false);
  }

  /** At most so many a second; 0.1 is one in ten seconds. */
  public RedriveTerms perSecond(double rate) {
    return new RedriveTerms(by, rate, beyondHorizon);
  }

  /**
   * The operator's word that messages beyond the dedup horizon are to be handled although they may
   * have been processed before.
   */
  public RedriveTerms evenBeyondHorizon() {
    return new RedriveTerms(by, perSecond, true);
  }
}
