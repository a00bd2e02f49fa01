package dev.twinbox.relay.metrics;

import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.Thresholds;
import dev.twinbox.relay.status.Verdict;

/**
 * What gauges show of a status.
 *
 * @param verdict 0, 1 or 2, by the default thresholds
 */
record OutboxFigures(Status status, int verdict) {
  static OutboxFigures of(Status status) {
    return new OutboxFigures(status, Verdict.of(status, Thresholds.DEFAULTS).level().exitCode());
  }

  double openTransactionSeconds() {
    return status.transactions().stream()
        .filter(Status.TransactionLine::enqueued)
        .mapToDouble(each -> each.seconds() == null ? 0 : each.seconds())
        .max()
        .orElse(0);
  }
}
