package dev.twinbox.relay.drain;

import dev.twinbox.relay.publish.OutboxRecord;
import dev.twinbox.relay.publish.Outcome;
import dev.twinbox.relay.publish.Publisher;
import dev.twinbox.relay.store.DeadLetters.Cause;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Drains one open window. Pages are read while earlier ones are in flight; the cursor follows the
 * contiguous settled prefix. After trouble everything unsettled is forgotten and read again from
 * the cursor, except what is known to be settled beyond it.
 *
 * <p>Used by the lane's thread.
 */
final class WindowDrain {
  private static final long PROGRESS_NANOS = Duration.ofSeconds(1).toNanos();

  private final Claim claim;
  private final LaneStore store;
  private final DrainSettings settings;
  private final Failures failures;
  private final Counters counters;
  private final Wakeup wakeup;
  private final InFlight inFlight;
  private final NavigableSet<Long> ahead = new TreeSet<>();
  private List<String> late;
  private int pagesRead;
  private long cursor;
  private long readUpTo;
  private boolean exhausted;

  /** The open window of a lane: just opened, or continued where another session left it. */
  static WindowDrain of(
      Claim claim,
      LaneStore store,
      DrainSettings settings,
      Failures failures,
      Counters counters,
      Wakeup wakeup)
      throws SQLException {
    WindowDrain window = new WindowDrain(claim, store, settings, failures, counters, wakeup);
    if (claim.isContinued()) {
      // A dead letter whose followers went out must not come before them after all.
      LaneState state = claim.state();
      window.ahead.addAll(
          store.deadLetters().buried(state.lane(), state.cursor(), state.ceiling()));
    }
    return window;
  }

  private WindowDrain(
      Claim claim,
      LaneStore store,
      DrainSettings settings,
      Failures failures,
      Counters counters,
      Wakeup wakeup) {
    this.claim = claim;
    this.store = store;
    this.settings = settings;
    this.failures = failures;
    this.counters = counters;
    this.wakeup = wakeup;
    this.inFlight = new InFlight(wakeup);
    LaneState window = claim.state();
    cursor = window.cursor();
    readUpTo = cursor;
    ahead.addAll(window.ahead());
    late = WindowReader.runningAt(window.done());
  }

  /** Whether every row of the window is settled. */
  boolean isDrained() {
    return exhausted && inFlight.isEmpty();
  }

  /** Whether the publisher has to be closed: something failed, or expired on its way. */
  boolean isTroubled() {
    return inFlight.isTroubled() || inFlight.hasExpired(System.nanoTime());
  }

  /**
   * One step: takes in what is settled, reads and hands over a page if there is room, else waits a
   * little for confirms.
   */
  void step(Publisher publisher) throws SQLException, LaneLostException {
    advance();
    if (cursor != claim.state().cursor() && claim.age() > PROGRESS_NANOS) {
      claim.progress(cursor, aheadBounded());
    }
    claim.renewIfDue();
    if (isTroubled() || isDrained()) {
      return;
    }
    if (!exhausted && hasRoom()) {
      handOverPage(publisher);
    } else {
      wakeup.await(Duration.ofMillis(100));
    }
  }

  /**
   * Should the next statement fail again and again, at least what was published is not repeated.
   */
  private void noteCursor() throws SQLException, LaneLostException {
    if (cursor != claim.state().cursor()) {
      claim.progress(cursor, aheadBounded());
    }
  }

  private boolean hasRoom() {
    return inFlight.rows() + settings.pageRows() <= settings.rowsInFlight()
        && inFlight.bytes() + settings.pageBytes() <= settings.bytesInFlight();
  }

  private void handOverPage(Publisher publisher) throws SQLException {
    if (pagesRead++ == 1) {
      // Most late transactions are short: by the second page nearly all of them have run dry.
      late = store.reader().lateTransactions(claim.state(), readUpTo);
    }
    long readAt = System.nanoTime();
    WindowReader.Page page =
        store
            .reader()
            .page(claim.state(), late, readUpTo, settings.pageRows(), settings.pageBytes());
    for (WindowReader.Row row : page.rows()) {
      handOver(publisher, row, readAt);
      readUpTo = row.record().position();
    }
    exhausted = page.isLast();
    publisher.flush();
  }

  private void handOver(Publisher publisher, WindowReader.Row row, long readAt) {
    OutboxRecord record = row.record();
    Duration timeLeft = row.timeLeft();
    InFlight.Slot slot =
        inFlight.add(record, timeLeft == null ? null : readAt + timeLeft.toNanos());
    if (ahead.contains(record.position())) {
      slot.settled(record, Outcome.PUBLISHED);
    } else if (timeLeft != null && timeLeft.toNanos() <= System.nanoTime() - readAt) {
      slot.settled(
          record,
          new Outcome.Rejected(
              Outcome.Reason.EXPIRED, "It expired at " + record.expiresAt() + ", unpublished."));
    } else {
      publisher.publish(record, slot);
    }
  }

  /** Moves the cursor over what is settled; buries what was rejected. */
  private void advance() throws SQLException, LaneLostException {
    for (InFlight.Slot head = inFlight.head(); head != null; head = inFlight.head()) {
      Outcome outcome = head.outcome();
      if (outcome instanceof Outcome.Published) {
        succeed(head.record);
      } else if (outcome instanceof Outcome.Rejected) {
        settleFailure(head.record, outcome);
      } else {
        return;
      }
      cursor = head.record.position();
      inFlight.removeHead();
    }
  }

  /** Counts each message once, also when it is met again behind one that failed. */
  private void succeed(OutboxRecord record) {
    if (!ahead.remove(record.position())) {
      failures.published(record);
      counters.published();
    }
  }

  private boolean settleFailure(OutboxRecord record, Outcome outcome)
      throws SQLException, LaneLostException {
    Optional<Cause> cause = failures.judge(record, outcome);
    if (cause.isEmpty()) {
      return false;
    }
    noteCursor();
    if (!store.deadLetters().bury(record, cause.get(), claim.state())) {
      throw new LaneLostException(record.lane(), "dead letter");
    }
    failures.buried(record);
    counters.deadLettered(record, cause.get());
    return true;
  }

  /**
   * After the publisher was closed, so that every slot has its outcome: keeps what is settled,
   * forgets the rest, and starts again at the cursor.
   *
   * @return the unavailability or failure that asks for a pause; empty when all was merely unknown
   */
  Optional<Outcome> recover() throws SQLException, LaneLostException {
    Optional<Outcome> trouble = keepSettled();
    if (cursor != claim.state().cursor() || !claim.state().ahead().equals(aheadBounded())) {
      claim.progress(cursor, aheadBounded());
    }
    inFlight.clear();
    readUpTo = cursor;
    exhausted = false;
    pagesRead = 0;
    late = WindowReader.runningAt(claim.state().done());
    return trouble;
  }

  private Optional<Outcome> keepSettled() throws SQLException, LaneLostException {
    advance();
    Optional<Outcome> trouble = Optional.empty();
    for (InFlight.Slot slot : inFlight.inOrder()) {
      Outcome outcome = slot.outcome();
      OutboxRecord record = slot.record;
      if (outcome instanceof Outcome.Published) {
        succeed(record);
        ahead.add(record.position());
      } else if (outcome != null && settleFailure(record, outcome)) {
        ahead.add(record.position());
      } else if (trouble.isEmpty()
          && (outcome instanceof Outcome.Unavailable || outcome instanceof Outcome.Failed)) {
        trouble = Optional.of(outcome);
      }
    }
    return trouble;
  }

  /**
   * For a stop, after the publisher was closed: keeps what is settled.
   *
   * @return whether the whole window is settled
   */
  boolean finish() throws SQLException, LaneLostException {
    boolean readToTheEnd = exhausted;
    advance();
    if (readToTheEnd && inFlight.isEmpty()) {
      return true;
    }
    keepSettled();
    return false;
  }

  /** How many records have no outcome yet. */
  int unsettled() {
    return inFlight.unsettled();
  }

  long cursor() {
    return cursor;
  }

  /** Only so many: what is left out is published again, with the same id. */
  List<Long> aheadBounded() {
    return ahead.stream().limit(1_000).toList();
  }
}
