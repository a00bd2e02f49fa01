package dev.twinbox.relay.drain;

import dev.twinbox.relay.drain.Failures.Verdict;
import dev.twinbox.relay.publish.OutboxRecord;
import dev.twinbox.relay.publish.Outcome;
import dev.twinbox.relay.publish.Publisher;
import dev.twinbox.relay.store.DeadLetters.Lost;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.Parked.Wait;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
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

  /**
   * How it looks after trouble.
   *
   * @param trouble the unavailability that the lane has to wait for; empty when all was merely
   *     unknown, or was parked
   * @param gotOn whether anything more is settled than before
   */
  record Recovery(Optional<Outcome> trouble, boolean gotOn) {}

  private final LaneContext lane;
  private final Claim claim;
  private final ParkedDrain parked;
  private final InFlight inFlight;
  private final NavigableSet<Long> ahead = new TreeSet<>();
  private List<String> late;
  private int pagesRead;
  private long cursor;
  private long readUpTo;
  private boolean exhausted;

  /** The open window of a lane: just opened, or continued where another session left it. */
  static WindowDrain of(LaneContext lane, ParkedDrain parked) throws SQLException {
    WindowDrain window = new WindowDrain(lane, parked);
    if (lane.claim().isContinued()) {
      // A dead letter whose followers went out must not come before them after all.
      LaneState state = lane.claim().state();
      window.ahead.addAll(
          lane.store().deadLetters().buried(state.lane(), state.cursor(), state.ceiling()));
    }
    return window;
  }

  private WindowDrain(LaneContext lane, ParkedDrain parked) {
    this.lane = lane;
    this.claim = lane.claim();
    this.parked = parked;
    this.inFlight = new InFlight(lane.wakeup());
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
      lane.wakeup().await(Duration.ofMillis(100));
    }
  }

  private boolean hasRoom() {
    DrainSettings settings = lane.settings();
    return inFlight.rows() + settings.pageRows() <= settings.rowsInFlight()
        && inFlight.bytes() + settings.pageBytes() <= settings.bytesInFlight();
  }

  private void handOverPage(Publisher publisher) throws SQLException, LaneLostException {
    WindowReader reader = lane.store().reader();
    if (pagesRead++ == 1) {
      // Most late transactions are short: by the second page nearly all of them have run dry.
      late = reader.lateTransactions(claim.state(), readUpTo);
    }
    long readAt = System.nanoTime();
    WindowReader.Page page =
        reader.page(
            claim.state(), late, readUpTo, lane.settings().pageRows(), lane.settings().pageBytes());
    HeldRows held = parked.held(page.rows().stream().map(WindowReader.Row::record).toList());
    List<Wait> waits = new ArrayList<>();
    for (WindowReader.Row row : page.rows()) {
      handOver(publisher, row, readAt, held).ifPresent(waits::add);
      readUpTo = row.record().position();
    }
    park(waits);
    exhausted = page.isLast();
    publisher.flush();
  }

  /** Hands the row over, unless it is settled already or has to be parked. */
  private Optional<Wait> handOver(
      Publisher publisher, WindowReader.Row row, long readAt, HeldRows held) {
    OutboxRecord record = row.record();
    Duration timeLeft = row.timeLeft();
    InFlight.Slot slot =
        inFlight.add(record, timeLeft == null ? null : readAt + timeLeft.toNanos());
    if (ahead.contains(record.position())) {
      slot.settled(record, Outcome.PUBLISHED);
    } else if (held.isParked(record)) {
      ahead.add(record.position());
      slot.settled(record, Outcome.PUBLISHED);
    } else if (timeLeft != null && timeLeft.toNanos() <= System.nanoTime() - readAt) {
      slot.settled(record, expired(record));
    } else {
      Optional<Wait> wait = held.hold(record);
      if (wait.isEmpty()) {
        publisher.publish(record, slot);
      } else {
        // Settled as far as the window goes, once the page's waits are stored.
        slot.settled(record, Outcome.PUBLISHED);
      }
      return wait;
    }
    return Optional.empty();
  }

  static Outcome expired(OutboxRecord record) {
    return new Outcome.Rejected(
        Outcome.Reason.EXPIRED,
        "It expired at " + record.expiresAt() + " before a broker had confirmed it.");
  }

  /** Moves the cursor over what is settled; buries what was rejected. */
  private void advance() throws SQLException, LaneLostException {
    long now = System.nanoTime();
    List<Lost> lost = new ArrayList<>();
    List<OutboxRecord> records = new ArrayList<>();
    for (InFlight.Slot head = inFlight.head(); head != null; head = inFlight.head()) {
      Outcome outcome = head.outcome();
      if (outcome instanceof Outcome.Published) {
        succeed(head.record, now);
      } else if (outcome instanceof Outcome.Rejected
          && lane.failures().judge(head.record, outcome) instanceof Verdict.GiveUp giveUp) {
        if (lost.isEmpty()) {
          note();
        }
        lost.add(new Lost(head.record.position(), giveUp.cause()));
        records.add(head.record);
      } else {
        break;
      }
      cursor = head.record.position();
      inFlight.removeHead();
    }
    bury(lost, records);
  }

  /** Counts each message once, also when it is met again behind one that failed. */
  private void succeed(OutboxRecord record, long now) {
    if (!ahead.remove(record.position())) {
      lane.failures().published(record);
      lane.destinations().published(record.destination(), now);
      lane.counters().published();
    }
  }

  private void bury(List<Lost> lost, List<OutboxRecord> records)
      throws SQLException, LaneLostException {
    if (lost.isEmpty()) {
      return;
    }
    claim.change(
        known -> lane.store().deadLetters().bury(lost, known, cursor, aheadBounded()),
        "dead letter");
    if (lost.stream().anyMatch(each -> each.cause().blocksKey())) {
      parked.holdsMore();
    }
    for (int i = 0; i < lost.size(); i++) {
      lane.counters().deadLettered(records.get(i), lost.get(i).cause());
    }
  }

  private void park(List<Wait> waits) throws SQLException, LaneLostException {
    if (waits.isEmpty()) {
      return;
    }
    waits.forEach(wait -> ahead.add(wait.position()));
    claim.change(
        known -> lane.store().parked().park(waits, known, cursor, aheadBounded()), "parking");
    parked.holdsMore();
  }

  /**
   * After the publisher was closed, so that every slot has its outcome: keeps what is settled,
   * parks what the lane should not wait for, forgets the rest, and starts again at the cursor.
   *
   * @return what stands in the lane's way
   */
  Recovery recover() throws SQLException, LaneLostException {
    long before = cursor;
    Aftermath aftermath = keepSettled();
    note();
    inFlight.clear();
    readUpTo = cursor;
    exhausted = false;
    pagesRead = 0;
    late = WindowReader.runningAt(claim.state().done());
    boolean gotOn =
        cursor != before || !aftermath.lost().isEmpty() || !aftermath.toBeParked().isEmpty();
    return new Recovery(aftermath.trouble(), gotOn);
  }

  private Aftermath keepSettled() throws SQLException, LaneLostException {
    advance();
    long now = System.nanoTime();
    Aftermath aftermath = new Aftermath();
    for (InFlight.Slot slot : inFlight.inOrder()) {
      OutboxRecord record = slot.record;
      Outcome outcome = slot.outcome();
      if (outcome instanceof Outcome.Published) {
        succeed(record, now);
        ahead.add(record.position());
        aftermath.published(record);
      } else {
        aftermath.judged(record, lane.failures().judge(record, outcome));
      }
    }
    aftermath.decide(
        lane.destinations(),
        now,
        broken -> lane.store().reader().hasOthers(claim.state(), cursor, broken));
    note();
    aftermath.lost().forEach(each -> ahead.add(each.position()));
    bury(aftermath.lost(), aftermath.lostRecords());
    park(aftermath.toBeParked());
    return aftermath;
  }

  /**
   * Should the next statement fail again and again, at least what was published is not repeated.
   */
  private void note() throws SQLException, LaneLostException {
    if (cursor != claim.state().cursor() || !claim.state().ahead().equals(aheadBounded())) {
      claim.progress(cursor, aheadBounded());
    }
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
