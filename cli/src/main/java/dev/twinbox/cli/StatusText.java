package dev.twinbox.cli;

import dev.twinbox.broker.SourceLag;
import dev.twinbox.relay.status.HumanFormat;
import dev.twinbox.relay.status.Status;
import dev.twinbox.relay.status.Verdict;
import dev.twinbox.relay.status.Verdict.Cause;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A status for people: the verdict first, then what it rests on. */
final class StatusText {
  private final PrintWriter out;

  StatusText(PrintWriter out) {
    this.out = out;
  }

  void print(Status status, Verdict verdict, List<SourceLag> lags) {
    out.println(
        "Schema %s, version %s, at %s"
            .formatted(status.schema(), status.schemaVersion(), status.time()));
    out.println();
    out.println("Verdict: " + level(verdict.level()));
    for (Cause cause : verdict.causes()) {
      out.println("  %-8s  %s.".formatted(level(cause.level()), cause.sentence()));
    }
    destinations(status);
    side(status);
    relays(status);
    server(status);
    consumers(lags);
    out.flush();
  }

  private static String level(Verdict.Level level) {
    return level.name().toLowerCase(Locale.ROOT);
  }

  private void destinations(Status status) {
    TextTable brokers = new TextTable("BROKER", "WAITING", "OLDEST");
    status
        .brokers()
        .forEach(
            b ->
                brokers.row(
                    b.broker(),
                    HumanFormat.count(b.waiting(), b.waitingIsEstimated()),
                    HumanFormat.time(b.oldestWaitingSeconds())));
    brokers.print(out, "No broker has lanes.");
    TextTable table =
        new TextTable(
            "DESTINATION",
            "WAITING",
            "OLDEST",
            "IN",
            "OUT",
            "DRAINED IN",
            "PARKED",
            "SCHEDULED",
            "EXPIRED",
            "DEAD");
    for (Status.DestinationLine d : status.destinations()) {
      table.row(
          d.destination(),
          HumanFormat.count(d.waiting(), d.waitingIsEstimated()),
          HumanFormat.time(d.oldestWaitingSeconds()),
          HumanFormat.rate(d.inPerSecond()),
          HumanFormat.rate(d.outPerSecond()),
          drained(d),
          HumanFormat.count(d.parked()),
          HumanFormat.count(d.scheduled()),
          HumanFormat.count(d.expired()),
          HumanFormat.count(d.deadLetters()));
    }
    table.print(out, "No destination has messages.");
  }

  private static String drained(Status.DestinationLine line) {
    if (line.waiting() == 0) {
      return "-";
    }
    if (line.drainSeconds() != null) {
      return HumanFormat.time(line.drainSeconds());
    }
    return line.inPerSecond() == null || line.outPerSecond() == null ? "unknown" : "never";
  }

  private void side(Status status) {
    TextTable parked = new TextTable("PARKED FOR", "REASON", "COUNT", "OLDEST");
    status
        .parked()
        .forEach(
            p ->
                parked.row(
                    p.destination(),
                    p.reason(),
                    HumanFormat.count(p.count(), p.countIsEstimated()),
                    HumanFormat.time(p.oldestSeconds())));
    parked.print(out, "Nothing is parked.");
    TextTable dead = new TextTable("DEAD LETTERS TO", "REASON", "COUNT");
    status
        .deadLetters()
        .forEach(
            d ->
                dead.row(
                    d.destination(),
                    d.reason(),
                    HumanFormat.count(d.count(), d.countIsEstimated())));
    dead.print(out, "No dead letters.");
    out.println();
    if (status.blockedKeys() > 0) {
      out.println("Blocked keys: " + HumanFormat.count(status.blockedKeys()));
    }
    Status.Scheduled scheduled = status.scheduled();
    out.println(
        scheduled.count() == 0
            ? "No scheduled messages."
            : "Scheduled messages: %s; the next is due at %s"
                .formatted(
                    HumanFormat.count(scheduled.count(), scheduled.countIsEstimated()),
                    scheduled.nextDueAt()));
  }

  private void relays(Status status) {
    TextTable relays = new TextTable("RELAY", "SERVES", "STARTED", "ALIVE UNTIL", "CLOCK AHEAD");
    status
        .relays()
        .forEach(
            r ->
                relays.row(
                    r.name(),
                    String.join(", ", r.brokers()),
                    r.startedAt(),
                    r.aliveUntil(),
                    r.clockAheadSeconds() + " s"));
    relays.print(out, "No relay is running.");
    TextTable troubles = new TextTable("TAKES NOTHING", "REASON", "FOR", "ITS MESSAGES");
    status
        .troubles()
        .forEach(
            t ->
                troubles.row(
                    t.destination(),
                    t.reason(),
                    HumanFormat.time(t.seconds()),
                    t.parked() ? "are parked" : "hold their lanes"));
    if (!status.troubles().isEmpty()) {
      troubles.print(out, "");
    }
    TextTable lanes =
        new TextTable(
            "LANE",
            "BROKER",
            "OWNER",
            "LEASE",
            "EPOCH",
            "WINDOW",
            "CURSOR",
            "WAITING",
            "LAST SETTLED");
    status
        .lanes()
        .forEach(
            l ->
                lanes.row(
                    l.lane(),
                    l.broker(),
                    Objects.requireNonNullElse(l.owner(), "-"),
                    l.leaseSecondsLeft() == null ? "-" : l.leaseSecondsLeft() + " s",
                    l.epoch(),
                    l.window() + (l.open() ? " open" : ""),
                    l.open() ? l.cursor() + " of " + l.ceiling() : "-",
                    HumanFormat.count(l.waiting()),
                    l.lastSettledAt() == null ? "-" : l.lastSettledAt()));
    lanes.print(out, "No lanes.");
  }

  private void server(Status status) {
    TextTable open = new TextTable("OPEN TRANSACTION", "OPEN FOR", "APPLICATION", "STATE", "HAS");
    status.transactions().forEach(t -> open.row(cells(t, t.enqueued() ? "enqueued" : "read")));
    Status.TransactionLine snapshot = status.oldestSnapshot();
    if (snapshot != null) {
      open.row(cells(snapshot, "the oldest snapshot"));
    }
    open.print(out, "No transaction has the outbox in hand.");
    Status.Ring ring = status.ring();
    out.println();
    out.println(
        "Ring: %s of %s leaves hold rows%s"
            .formatted(
                ring.used(),
                ring.leaves(),
                ring.bytes().stream()
                    .map(leaf -> leaf.table() + " " + HumanFormat.size(leaf.bytes()))
                    .collect(Collectors.joining(", ", ring.used() == 0 ? "" : ": ", ""))));
    out.println(
        "Sizes: "
            + status.sizes().stream()
                .limit(10)
                .map(size -> size.table() + " " + HumanFormat.size(size.bytes()))
                .collect(Collectors.joining(", ")));
  }

  private static Object[] cells(Status.TransactionLine t, String has) {
    return new Object[] {
      name(t),
      HumanFormat.time(t.seconds()),
      t.application().isEmpty() ? t.role() : t.application(),
      t.state(),
      has
    };
  }

  private static String name(Status.TransactionLine t) {
    if (t.pid() != null) {
      return "pid " + t.pid();
    }
    return t.prepared() == null ? t.state() : "'" + t.prepared() + "'";
  }

  private void consumers(List<SourceLag> lags) {
    if (lags.isEmpty()) {
      return;
    }
    TextTable table = new TextTable("CONSUMER", "OF", "PARTITION", "BEHIND", "CONSUMERS");
    for (SourceLag lag : lags) {
      table.row(lag.consumer(), lag.source(), "all", number(lag.lag()), number(lag.consumers()));
      lag.partitions()
          .forEach(
              p -> table.row(lag.consumer(), lag.source(), p.partition(), number(p.lag()), ""));
    }
    table.print(out, "");
  }

  private static String number(@Nullable Number number) {
    return number == null ? "unknown" : HumanFormat.count(number.longValue());
  }
}
