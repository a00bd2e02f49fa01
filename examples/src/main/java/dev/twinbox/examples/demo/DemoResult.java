package dev.twinbox.examples.demo;

import dev.twinbox.testkit.TallyReport;
import java.io.PrintWriter;
import java.util.Locale;

/**
 * What the demo shows at its end.
 *
 * @param report the figures
 * @param wrongBalances customers whose balance is not the sum of their orders
 * @param effectsAt where the effects are noted
 * @param details what the tally found, message by message
 */
record DemoResult(DemoReport report, long wrongBalances, String effectsAt, TallyReport details) {

  void print(PrintWriter out) {
    out.println();
    line(out, "Orders committed", report.committed(), "rows in shop.orders");
    line(out, "Orders rolled back", report.rolledBack(), "after their message was enqueued");
    line(out, "Messages published", report.published(), "different ids that the broker holds");
    line(out, "Deliveries", report.delivered(), "some repeated on purpose");
    line(out, "Duplicates rejected", report.duplicatesRejected(), "deliveries without effect");
    line(out, "Effects on balances", report.effects(), effectsAt);
    line(out, "Lost", report.lost(), "");
    line(out, "Extra", report.extra(), "");
    line(out, "Out of order", report.outOfOrder(), "within one customer");
    line(out, "Wrong balances", wrongBalances, "");
    out.println();
    if (report.balanced()) {
      out.printf(
          Locale.ROOT,
          "Balanced: each of the %,d committed orders changed its customer's balance exactly once"
              + " and in order, although %,d were rolled back and %,d were delivered more than"
              + " once.%n",
          report.committed(),
          report.rolledBack(),
          report.duplicatesRejected());
    } else {
      out.printf(
          Locale.ROOT,
          "NOT BALANCED: %,d lost, %,d extra, %,d out of order, %,d wrong balances. Please report"
              + " this with the lines below.%n%n%s",
          report.lost(),
          report.extra(),
          report.outOfOrder(),
          wrongBalances,
          details);
    }
    out.flush();
  }

  private static void line(PrintWriter out, String what, long count, String remark) {
    out.println(
        String.format(Locale.ROOT, "  %-20s %,12d  %s", what, count, remark).stripTrailing());
  }
}
