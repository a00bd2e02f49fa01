package dev.twinbox.relay.status;

import java.util.Comparator;
import java.util.List;

/**
 * What to think of a {@link Status}.
 *
 * @param level the worst of the causes
 * @param causes why, the most important first; empty when all is well
 */
public record Verdict(Level level, List<Cause> causes) {
  public Verdict {
    causes = List.copyOf(causes);
  }

  /** How bad it is. The exit codes are those that monitoring systems expect. */
  public enum Level {
    /** Nothing to be done. */
    OK(0),
    /** It goes on, but somebody should look at it in the morning. */
    WARNING(1),
    /** Messages do not go out, or will not. */
    CRITICAL(2);

    private final int exitCode;

    Level(int exitCode) {
      this.exitCode = exitCode;
    }

    /** 0, 1 or 2. */
    public int exitCode() {
      return exitCode;
    }
  }

  /**
   * One thing that is not as it should be.
   *
   * @param code a short name that stays, as in {@code destination-failing}
   * @param subject what it is about, as in {@code kafka:orders}
   * @param sentence the whole of it
   */
  public record Cause(Level level, String code, String subject, String sentence) {}

  /** Judges. */
  public static Verdict of(Status status, Thresholds thresholds) {
    return of(new Causes(status, thresholds).all());
  }

  /** The verdict that follows from these causes. */
  public static Verdict of(List<Cause> causes) {
    List<Cause> ordered =
        causes.stream().sorted(Comparator.comparing(Cause::level).reversed()).toList();
    return new Verdict(ordered.isEmpty() ? Level.OK : ordered.get(0).level(), ordered);
  }
}
