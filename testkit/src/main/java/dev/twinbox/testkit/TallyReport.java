package dev.twinbox.testkit;

import java.util.List;
import java.util.function.Function;

/**
 * The outcome of a {@link Tally}. Immutable.
 *
 * @param committed how many messages committed
 * @param rolledBack how many rolled back
 * @param unknown of how many nobody knows
 * @param setAside how many became dead letters or expired
 * @param views what was found at the broker, if that was read, and at each consumer
 */
public record TallyReport(
    long committed, long rolledBack, long unknown, long setAside, List<View> views) {
  public TallyReport {
    views = List.copyOf(views);
  }

  /**
   * One kind of fault at one place.
   *
   * @param count how often it was found
   * @param examples the first 20, in words
   */
  public record Finding(long count, List<String> examples) {
    public Finding {
      examples = List.copyOf(examples);
    }
  }

  /**
   * What was found at one place.
   *
   * @param name {@code published} or {@code applied by} a consumer
   * @param seen how many different messages appeared
   * @param repeats how many appearances were not the first; no fault where publishing is concerned
   * @param lost committed, but never seen
   * @param ghosts seen, but never committed
   * @param duplicates effects applied again
   * @param outOfOrder first appearances after a later message of the same key
   * @param unexplained repeats at a time when nothing had left the publisher in doubt; only where
   *     times were told
   */
  public record View(
      String name,
      long seen,
      long repeats,
      Finding lost,
      Finding ghosts,
      Finding duplicates,
      Finding outOfOrder,
      Finding unexplained) {
    boolean balanced() {
      return lost.count + ghosts.count + duplicates.count + outOfOrder.count + unexplained.count
          == 0;
    }
  }

  /** Whether nothing is lost, extra, doubled, turned round or repeated without reason anywhere. */
  public boolean balanced() {
    return views.stream().allMatch(View::balanced);
  }

  /** Lost messages, over all places. */
  public long lost() {
    return sum(View::lost);
  }

  /** Ghosts, over all places. */
  public long ghosts() {
    return sum(View::ghosts);
  }

  /** Duplicate effects, over all consumers. */
  public long duplicates() {
    return sum(View::duplicates);
  }

  /** Messages turned round, over all places. */
  public long outOfOrder() {
    return sum(View::outOfOrder);
  }

  /** Repeats without a reason, over all places. */
  public long unexplained() {
    return sum(View::unexplained);
  }

  /** A table with a line for each place, followed by examples of what is wrong. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(
        "%s committed, %s rolled back, %s unknown, %s set aside: %s%n"
            .formatted(
                committed,
                rolledBack,
                unknown,
                setAside,
                balanced() ? "balanced" : "NOT BALANCED"));
    text.append(
        "%-30s %10s %10s %10s %10s %10s %12s %12s%n"
            .formatted(
                "",
                "seen",
                "repeats",
                "lost",
                "ghosts",
                "duplicates",
                "out of order",
                "unexplained"));
    for (View view : views) {
      text.append(
          "%-30s %10s %10s %10s %10s %10s %12s %12s%n"
              .formatted(
                  view.name,
                  view.seen,
                  view.repeats,
                  view.lost.count,
                  view.ghosts.count,
                  view.duplicates.count,
                  view.outOfOrder.count,
                  view.unexplained.count));
    }
    for (View view : views) {
      examples(text, view.name, "lost", view.lost);
      examples(text, view.name, "ghost", view.ghosts);
      examples(text, view.name, "duplicate", view.duplicates);
      examples(text, view.name, "out of order", view.outOfOrder);
      examples(text, view.name, "unexplained", view.unexplained);
    }
    return text.toString();
  }

  private static void examples(StringBuilder text, String where, String kind, Finding finding) {
    finding.examples.forEach(
        example -> text.append("%s, %s: %s%n".formatted(where, kind, example)));
  }

  private long sum(Function<View, Finding> kind) {
    return views.stream().mapToLong(view -> kind.apply(view).count).sum();
  }
}
