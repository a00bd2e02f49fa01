package dev.twinbox.relay.status;

import dev.twinbox.relay.status.Status.BrokerLine;
import dev.twinbox.relay.status.Status.DeadLetterLine;
import dev.twinbox.relay.status.Status.DestinationLine;
import dev.twinbox.relay.status.Status.LaneLine;
import dev.twinbox.relay.status.Status.ParkedLine;
import dev.twinbox.relay.status.Status.TransactionLine;
import dev.twinbox.relay.status.Status.Trouble;
import dev.twinbox.relay.status.Status.UpkeepLine;
import dev.twinbox.relay.status.Verdict.Cause;
import dev.twinbox.relay.status.Verdict.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds what is not as it should be, each with its reason. What follows from something else that is
 * told already is left out: where no relay lives, that nothing goes out is no news.
 */
final class Causes {
  /** From there on Kafka refuses what is published, by its default for times ahead. */
  private static final double REFUSED_SKEW_SECONDS = 3600;

  /** These say something of the broker, not of the one destination that met them. */
  private static final Set<String> OF_THE_BROKER =
      Set.of("unreachable", "not-authenticated", "blocked");

  private final Status status;
  private final Thresholds thresholds;
  private final List<Cause> causes = new ArrayList<>();

  Causes(Status status, Thresholds thresholds) {
    this.status = status;
    this.thresholds = thresholds;
  }

  List<Cause> all() {
    String restored = status.restored();
    boolean stands = restored != null || status.relays().isEmpty();
    if (restored != null) {
      critical(
          "restored",
          status.schema(),
          "The database was restored or moved (%s); nothing is published until a relay has stamped"
                  .formatted(restored)
              + " its messages anew");
    }
    if (status.relays().isEmpty()) {
      noRelay();
    }
    if (!stands) {
      failing();
      lanesWithoutRelay();
      piles();
      overdue();
    }
    missing();
    upkeep();
    ring();
    blockedKeys();
    deadLetters();
    transactions();
    clocks();
    return causes;
  }

  private void noRelay() {
    long waiting = status.brokers().stream().mapToLong(BrokerLine::waiting).sum();
    long parked = status.parked().stream().mapToLong(ParkedLine::count).sum();
    long scheduled = status.scheduled().count();
    if (waiting + parked + scheduled > 0) {
      Double oldest =
          status.brokers().stream()
              .map(BrokerLine::oldestWaitingSeconds)
              .reduce(null, StatusQueries::older);
      boolean estimated = status.brokers().stream().anyMatch(BrokerLine::waitingIsEstimated);
      critical(
          "no-relay",
          status.schema(),
          "No relay is alive; "
              + pile(waiting, estimated, oldest, parked)
              + (scheduled > 0 ? ", " + HumanFormat.count(scheduled) + " scheduled" : ""));
    } else if (status.everUsed()) {
      warning("no-relay", status.schema(), "No relay is alive; nothing waits yet");
    }
  }

  /** What fails, for as long as anything waits for it. */
  private void failing() {
    Map<String, List<Trouble>> bySubject = new TreeMap<>();
    for (Trouble trouble : status.troubles()) {
      bySubject.computeIfAbsent(subject(trouble), any -> new ArrayList<>()).add(trouble);
    }
    bySubject.forEach(
        (subject, troubles) -> {
          List<DestinationLine> lines =
              status.destinations().stream()
                  .filter(line -> troubles.stream().anyMatch(t -> isAbout(t, line, subject)))
                  .toList();
          long waiting = lines.stream().mapToLong(DestinationLine::waiting).sum();
          long parked = lines.stream().mapToLong(DestinationLine::parked).sum();
          if (waiting + parked == 0) {
            return;
          }
          Trouble longest =
              troubles.stream().max(Comparator.comparingDouble(Trouble::seconds)).orElseThrow();
          Double oldest =
              lines.stream()
                  .map(DestinationLine::oldestWaitingSeconds)
                  .reduce(null, StatusQueries::older);
          boolean estimated = lines.stream().anyMatch(DestinationLine::waitingIsEstimated);
          boolean isLong = longest.seconds() >= seconds(thresholds.maxAge());
          cause(
              isLong || waiting + parked > thresholds.maxWaiting() ? Level.CRITICAL : Level.WARNING,
              "destination-failing",
              subject,
              failing(subject, longest) + "; " + pile(waiting, estimated, oldest, parked));
        });
  }

  private static String subject(Trouble trouble) {
    return OF_THE_BROKER.contains(trouble.reason())
        ? broker(trouble.destination())
        : trouble.destination();
  }

  private static boolean isAbout(Trouble trouble, DestinationLine line, String subject) {
    return trouble.destination().equals(line.destination())
        || subject.equals(broker(line.destination()));
  }

  private static String broker(String destination) {
    int colon = destination.indexOf(':');
    return colon < 0 ? destination : destination.substring(0, colon);
  }

  private static String failing(String subject, Trouble trouble) {
    String time = HumanFormat.time(trouble.seconds());
    return switch (trouble.reason()) {
      case "unreachable" -> "%s unreachable for %s".formatted(subject, time);
      case "not-authenticated" ->
          "%s has refused the relay's credentials for %s".formatted(subject, time);
      case "not-authorised" -> "%s has been forbidden to the relay for %s".formatted(subject, time);
      case "blocked" -> "%s has let nobody publish for %s".formatted(subject, time);
      case "missing-destination" -> "%s has been missing for %s".formatted(subject, time);
      case "unroutable" -> "%s has led to no queue for %s".formatted(subject, time);
      case "no-leader" -> "%s has had no leader for %s".formatted(subject, time);
      case "not-enough-replicas" ->
          "%s has had too few replicas in sync for %s".formatted(subject, time);
      case "unsafe" ->
          "%s is unsafe and has been held back for %s (bin/twinbox doctor says why)"
              .formatted(subject, time);
      default -> "%s has taken nothing for %s (%s)".formatted(subject, time, trouble.reason());
    };
  }

  private void lanesWithoutRelay() {
    Set<String> served =
        status.relays().stream().flatMap(r -> r.brokers().stream()).collect(Collectors.toSet());
    for (BrokerLine broker : status.brokers()) {
      List<LaneLine> free =
          status.lanes().stream()
              .filter(lane -> lane.broker().equals(broker.broker()) && isFreeForLong(lane))
              .toList();
      long waiting = free.stream().mapToLong(LaneLine::waiting).sum();
      if (free.isEmpty() || (waiting == 0 && !served.contains(broker.broker()))) {
        continue;
      }
      Double since = free.stream().map(LaneLine::unownedSeconds).reduce(null, StatusQueries::older);
      String lanes =
          free.stream()
              .map(l -> Integer.toString(l.lane()))
              .limit(8)
              .collect(Collectors.joining(", "));
      cause(
          waiting > 0 ? Level.CRITICAL : Level.WARNING,
          "lane-without-relay",
          broker.broker(),
          served.contains(broker.broker())
              ? "%s of %s without a relay for %s; %s waiting"
                  .formatted(
                      free.size() == 1 ? "Lane " + lanes : "Lanes " + lanes,
                      broker.broker(),
                      HumanFormat.time(since),
                      HumanFormat.count(waiting))
              : "No relay serves %s; %s"
                  .formatted(
                      broker.broker(),
                      pile(
                          broker.waiting(),
                          broker.waitingIsEstimated(),
                          broker.oldestWaitingSeconds(),
                          0)));
    }
  }

  private boolean isFreeForLong(LaneLine lane) {
    Double since = lane.unownedSeconds();
    return since != null && since > seconds(thresholds.maxUnowned());
  }

  /** Destinations that are not told of yet, and are behind. */
  private void piles() {
    Set<String> told = causes.stream().map(Cause::subject).collect(Collectors.toSet());
    for (DestinationLine line : status.destinations()) {
      Double oldest = line.oldestWaitingSeconds();
      boolean isOld = oldest != null && oldest > seconds(thresholds.maxAge());
      boolean isLarge = line.waiting() > thresholds.maxWaiting();
      if (!(isOld || isLarge)
          || told.contains(line.destination())
          || told.contains(broker(line.destination()))) {
        continue;
      }
      Double in = line.inPerSecond();
      Double out = line.outPerSecond();
      String waiting =
          "%s: %s"
              .formatted(
                  line.destination(),
                  pile(line.waiting(), line.waitingIsEstimated(), oldest, line.parked()));
      if (line.drainSeconds() != null) {
        warning(
            "behind",
            line.destination(),
            "%s, drained in %s (in %s, out %s)"
                .formatted(
                    waiting,
                    HumanFormat.time(line.drainSeconds()),
                    HumanFormat.rate(in),
                    HumanFormat.rate(out)));
      } else if (in == null || out == null) {
        warning("behind", line.destination(), waiting + "; how fast they go is not known yet");
      } else if (out == 0) {
        critical("standing-still", line.destination(), waiting + ", and none goes out");
      } else {
        cause(
            isOld ? Level.CRITICAL : Level.WARNING,
            "growing",
            line.destination(),
            "%s, and it grows by %s (in %s, out %s)"
                .formatted(
                    waiting,
                    HumanFormat.rate(in - out),
                    HumanFormat.rate(in),
                    HumanFormat.rate(out)));
      }
    }
  }

  private void overdue() {
    Double overdue = status.scheduled().overdueSeconds();
    if (overdue != null && overdue > seconds(thresholds.maxOverdue())) {
      critical(
          "scheduled-overdue",
          status.schema(),
          "A scheduled message has been due for %s and was not moved to the outbox; %s scheduled"
              .formatted(
                  HumanFormat.time(overdue),
                  HumanFormat.count(
                      status.scheduled().count(), status.scheduled().countIsEstimated())));
    }
  }

  private void missing() {
    if (!status.missing().isEmpty()) {
      critical(
          "rows-missing",
          status.schema(),
          "Rows without which nothing works are missing: %s. A relay that runs puts them back where it can; its health says what it cannot"
              .formatted(String.join(", ", status.missing())));
    }
  }

  private void upkeep() {
    for (UpkeepLine each : status.upkeep()) {
      warning(
          "upkeep-failing",
          each.duty(),
          "Upkeep fails: %s, for %s (%s)"
              .formatted(
                  each.duty(), HumanFormat.time(each.seconds()), HumanFormat.line(each.error())));
    }
  }

  private void ring() {
    Status.Ring ring = status.ring();
    if (ring.used() <= Math.max(2, ring.leaves() * thresholds.maxRingFill() / 100.0)) {
      return;
    }
    cause(
        ring.used() == ring.leaves() ? Level.CRITICAL : Level.WARNING,
        "ring-full",
        status.schema(),
        "%s of the outbox's %s leaves hold rows and are not emptied; %s"
            .formatted(ring.used(), ring.leaves(), pin()));
  }

  private String pin() {
    for (TransactionLine each : status.transactions()) {
      Double open = each.seconds();
      if (open != null && open > 60) {
        return "%s keeps them, open for %s%s"
            .formatted(who(each), HumanFormat.time(open), remedy(each));
      }
    }
    for (TransactionLine each : status.transactions()) {
      if (each.seconds() == null) {
        return "%s may keep them; since when it is open is hidden from this role, which lacks pg_read_all_stats"
            .formatted(who(each));
      }
    }
    Integer lane = status.ring().lowestLane();
    return lane == null
        ? "they are emptied once they are relayed, by a relay that runs"
        : "the oldest message is in lane %s (%s)"
            .formatted(
                lane,
                status.lanes().stream()
                    .filter(each -> each.lane() == lane)
                    .map(LaneLine::broker)
                    .findFirst()
                    .orElse("unknown"));
  }

  private void blockedKeys() {
    if (status.blockedKeys() > 0) {
      warning(
          "blocked-keys",
          status.schema(),
          "%s %s behind a dead letter (bin/twinbox dead-letters blocked)"
              .formatted(
                  HumanFormat.count(status.blockedKeys()),
                  status.blockedKeys() == 1 ? "key waits" : "keys wait"));
    }
  }

  private void deadLetters() {
    long all = status.deadLetters().stream().mapToLong(DeadLetterLine::count).sum();
    if (all <= thresholds.maxDeadLetters() || all == 0) {
      return;
    }
    DeadLetterLine most =
        status.deadLetters().stream()
            .max(Comparator.comparingLong(DeadLetterLine::count))
            .orElseThrow();
    boolean estimated = status.deadLetters().stream().anyMatch(DeadLetterLine::countIsEstimated);
    warning(
        "dead-letters",
        most.destination(),
        "%s dead %s, %s of the last hour; most: %s %s"
            .formatted(
                HumanFormat.count(all, estimated),
                all == 1 ? "letter" : "letters",
                HumanFormat.count(status.deadLettersLastHour()),
                most.destination(),
                most.reason()));
  }

  private void transactions() {
    for (TransactionLine each : status.transactions()) {
      Double open = each.seconds();
      if (each.enqueued() && open != null && open > seconds(thresholds.maxTransaction())) {
        warning(
            "open-transaction",
            each.pid() == null ? String.valueOf(each.prepared()) : "pid " + each.pid(),
            "%s has enqueued and has been open for %s; its messages go out once it commits%s"
                .formatted(who(each), HumanFormat.time(open), remedy(each)));
        return;
      }
    }
  }

  private static String who(TransactionLine transaction) {
    return transaction.pid() == null
        ? "Prepared transaction '%s' of %s".formatted(transaction.prepared(), transaction.role())
        : "Transaction of pid %s (%s)"
            .formatted(
                transaction.pid(),
                transaction.application().isEmpty()
                    ? transaction.role()
                    : transaction.application());
  }

  /** Nobody ends a prepared transaction that its transaction manager has forgotten. */
  private static String remedy(TransactionLine transaction) {
    String prepared = transaction.prepared();
    return prepared == null
        ? ""
        : ". If its transaction manager has forgotten it: rollback prepared '%s', or commit prepared"
            .formatted(prepared.replace("'", "''"));
  }

  private void clocks() {
    status.relays().stream()
        .filter(r -> Math.abs(r.clockAheadSeconds()) > seconds(thresholds.maxSkew()))
        .max(Comparator.comparingDouble(r -> Math.abs(r.clockAheadSeconds())))
        .ifPresent(
            r ->
                cause(
                    Math.abs(r.clockAheadSeconds()) > REFUSED_SKEW_SECONDS
                        ? Level.CRITICAL
                        : Level.WARNING,
                    "clock-skew",
                    r.name(),
                    "The clock of relay %s is %s %s the database's"
                        .formatted(
                            r.name(),
                            HumanFormat.time(Math.abs(r.clockAheadSeconds())),
                            r.clockAheadSeconds() > 0 ? "ahead of" : "behind")));
  }

  private static String pile(
      long waiting, boolean estimated, @Nullable Double oldest, long parked) {
    String text = HumanFormat.count(waiting, estimated) + " waiting";
    if (oldest != null) {
      text += ", oldest " + HumanFormat.time(oldest);
    }
    return parked > 0 ? text + ", " + HumanFormat.count(parked) + " parked" : text;
  }

  private static double seconds(Duration duration) {
    return duration.toMillis() / 1000.0;
  }

  private void critical(String code, String subject, String sentence) {
    cause(Level.CRITICAL, code, subject, sentence);
  }

  private void warning(String code, String subject, String sentence) {
    cause(Level.WARNING, code, subject, sentence);
  }

  private void cause(Level level, String code, String subject, String sentence) {
    causes.add(new Cause(level, code, subject, sentence));
  }
}
