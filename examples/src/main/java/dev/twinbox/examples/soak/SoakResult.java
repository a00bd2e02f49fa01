package dev.twinbox.examples.soak;

import dev.twinbox.testkit.TallyReport;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;

/**
 * What the soak shows at its end.
 *
 * @param report the figures
 * @param details what the tally found, message by message
 * @param leftovers what did not come to its end, a sentence each
 */
record SoakResult(SoakReport report, TallyReport details, List<String> leftovers) {
  SoakResult {
    leftovers = List.copyOf(leftovers);
  }

  void print(PrintWriter out) {
    out.println();
    report
        .faults()
        .forEach(
            (kind, hits) ->
                out.printf(
                    Locale.ROOT, "  %-26s %4d of %s hit%n", kind, hits.hit(), hits.planned()));
    out.println();
    line(out, "Committed", report.committed(), "rows in soak.sent, after recovery");
    line(out, "Published", report.published(), "different ids that the broker holds");
    line(out, "Repeats", report.repeats(), "of these");
    line(out, "Effects", report.effects(), "rows in soak.effect, after recovery");
    line(out, "Lost", report.lost(), "");
    line(out, "Ghosts", report.ghosts(), "");
    line(out, "Duplicate effects", report.duplicateEffects(), "");
    line(out, "Out of order", report.outOfOrder(), "within one key");
    line(out, "Unexplained", report.unexplained(), "");
    out.println();
    if (report.balanced()) {
      out.printf(
          Locale.ROOT,
          "Balanced: %,d faults hit unconfirmed work, and each of the %,d committed messages was"
              + " published in order and had exactly one effect.%n",
          report.faultsHit(),
          report.committed());
    } else {
      out.printf(Locale.ROOT, "NOT BALANCED, with seed %s:%n%n%s", report.seed(), explanation());
    }
    out.flush();
  }

  /** What is wrong, in words. */
  String explanation() {
    StringBuilder text = new StringBuilder(details.toString());
    leftovers.forEach(leftover -> text.append("left over: ").append(leftover).append('\n'));
    return text.toString();
  }

  private static void line(PrintWriter out, String what, long count, String remark) {
    out.println(
        String.format(Locale.ROOT, "  %-20s %,12d  %s", what, count, remark).stripTrailing());
  }
}
