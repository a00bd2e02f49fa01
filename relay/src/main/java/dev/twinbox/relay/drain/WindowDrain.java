package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Publisher;
import dev.twinbox.relay.drain.Failures.Verdict;
import dev.twinbox.relay.store.DeadLetters.Lost;
import dev.twinbox.relay.store.LaneState;
import dev.twinbox.relay.store.Parked.Wait;
import dev.twinbox.relay.store.WindowReader;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Drains one open window. Pages are read while earlier ones are in flight; the cursor follows the
 * contiguous settled prefix. After trouble everything unsettled is forgotten and read again from
 * the cursor, except what is known to be settled beyond it.
 *
 * <p>Used by the lane's thread.
 */
final class WindowDrain {
  private static final long PROGRESS_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long STALE_NANOS = Duration.ofSeconds(1).toNanos();
  private static final Duration LIMIT_PAUSE = Duration.ofMillis(20);

  /**
   * What is left to be handed over of the page that was read last.
   *
   * @param readAt before it was read, from when the times that its rows have left count
   * @param heldAt when it was known what holds its rows back
   */
  private record OpenPage(
      Deque<WindowReader.Row> rows,
      HeldRows held,
      long readAt,
      long heldAt,
      long upTo,
      boolean isLast) {}

  /**
   * How it looks after trouble.
   *
   * @param trouble the unavailability that the lane has to wait for; empty when all was merely
   *     unknown, or was parked
   * @param gotOn whether anything more is settled than before
   * @param unknown the first outcome that was unknown
   */
  record Recovery(Optional<Outcome> trouble, boolean gotOn, Optional<Outcome> unknown) {}

  private final LaneContext lane;
  private final Claim claim;
  private final ParkedDrain parked;
  private final InFlight inFlight;
  private final BlockingKeys keys;
  private final NavigableSet<Long> ahead = new TreeSet<>();
  private final LimitedRows limit;
  private OpenPage page;
  private PageSpan pageSpan;
  private List<String> late;
  private int pagesRead;
  private long cursor;
  private long readUpTo;
  private boolean exhausted;
  private @Nullable Set<String> undecided;

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

  /**
   * A window that was opened just now.
   *
   * @param first its first page
   * @param readAt before that was read, in terms of {@link System#nanoTime}
   */
  static WindowDrain of(LaneContext lane, ParkedDrain parked, WindowReader.Page first, long readAt)
      throws SQLException {
    WindowDrain window = new WindowDrain(lane, parked);
    window.turnTo(first, readAt, window.pageSpan.upTo(window.readUpTo, !window.late.isEmpty()));
    return window;
  }

  private WindowDrain(LaneContext lane, ParkedDrain parked) {
    this.lane = lane;
    this.claim = lane.claim();
    this.parked = parked;
    this.inFlight = new InFlight(lane.wakeup());
    this.keys = new BlockingKeys(lane.failures()::blocks);
    this.limit = new LimitedRows(lane);
    this.page = noPage(lane);
    LaneState window = claim.state();
    cursor = window.cursor();
    readUpTo = cursor;
    ahead.addAll(window.ahead());
    late = WindowReader.runningAt(window.done());
    pageSpan = new PageSpan(window);
  }

  private static OpenPage noPage(LaneContext lane) {
    HeldRows nothing = new HeldRows(Map.of(), lane.destinations());
    return new OpenPage(new ArrayDeque<>(), nothing, 0, 0, 0, /* isLast= */ false);
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
    handOn(publisher);
    advance();
    if (cursor != claim.state().cursor() && claim.age() > PROGRESS_NANOS) {
      claim.progress(cursor, aheadBounded());
    }
    claim.renewIfDue();
    if (isTroubled() || isDrained()) {
      return;
    }
    if (!page.rows.isEmpty()) {
      handOverPage(publisher);
    } else if (!exhausted && hasRoom()) {
      readPage();
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

  private void readPage() throws SQLException {
    WindowReader reader = lane.store().reader();
    if (pagesRead == 1) {
      // Most late transactions are short: by the second page nearly all of them have run dry.
      late = reader.lateTransactions(claim.state(), readUpTo);
    }
    long upTo = pageSpan.upTo(readUpTo, !late.isEmpty());
    long readAt = System.nanoTime();
    int rows = lane.pageRows().next();
    WindowReader.Page read =
        reader.page(claim.state(), late, readUpTo, upTo, rows, lane.settings().pageBytes());
    lane.pageRows().read(read, rows);
    turnTo(read, readAt, upTo);
  }

  private void turnTo(WindowReader.Page read, long readAt, long upTo) throws SQLException {
    pagesRead++;
    pageSpan.read(readUpTo, upTo, read.upTo());
    HeldRows held = parked.held(read.rows().stream().map(WindowReader.Row::record).toList());
    page =
        new OpenPage(
            new ArrayDeque<>(read.rows()),
            held,
            readAt,
            System.nanoTime(),
            read.upTo(),
            read.isLast());
  }

  /** Hands over the page, up to a row that has to wait for its destination's rate limit. */
  private void handOverPage(Publisher publisher) throws SQLException, LaneLostException {
    if (System.nanoTime() - page.heldAt > STALE_NANOS) {
      // What holds its rows back may have changed.
      page = noPage(lane);
      return;
    }
    List<Wait> waits = new ArrayList<>();
    undecided = null;
    boolean goesOn = true;
    for (WindowReader.Row row = page.rows.peekFirst();
        row != null && goesOn;
        row = page.rows.peekFirst()) {
      goesOn = handOver(publisher, row, waits);
      if (goesOn) {
        page.rows.removeFirst();
        readUpTo = row.record().position();
      }
    }
    park(waits);
    if (page.rows.isEmpty()) {
      readUpTo = page.upTo;
      exhausted = page.isLast;
    }
    publisher.flush();
    if (!goesOn) {
      lane.wakeup().await(LIMIT_PAUSE);
    }
  }

  /**
   * Hands the row over, unless it is settled already or has to be parked.
   *
   * @return false when the row has to wait where it is
   */
  private boolean handOver(Publisher publisher, WindowReader.Row row, List<Wait> waits)
      throws SQLException {
    OutboxRecord record = row.record();
    Duration timeLeft = row.timeLeft();
    if (ahead.contains(record.position())) {
      add(row).settled(record, Outcome.PUBLISHED);
    } else if (page.held.isParked(record)) {
      ahead.add(record.position());
      add(row).settled(record, Outcome.PUBLISHED);
    } else if (timeLeft != null && timeLeft.toNanos() <= System.nanoTime() - page.readAt) {
      reject(row, expired(record));
    } else if (row.flaw() != null) {
      reject(row, row.flaw());
    } else {
      if (!limit.mayGoOn(record, page.rows, page.held, readUpTo)) {
        return false;
      }
      if (page.held.isHeld(record) && isOnItsWay(record.key())) {
        return false;
      }
      Optional<Wait> wait = page.held.hold(record);
      InFlight.Slot slot = add(row);
      if (wait.isEmpty()) {
        handedOver(record.key());
        keys.handOver(publisher, slot);
      } else {
        // Settled as far as the window goes, once the page's waits are stored.
        slot.settled(record, Outcome.PUBLISHED);
        waits.add(wait.get());
      }
    }
    return true;
  }

  private void reject(WindowReader.Row row, Outcome outcome) {
    InFlight.Slot slot = add(row);
    slot.settled(row.record(), outcome);
    keys.settled(slot);
  }

  /**
   * Whether something of the key has no outcome yet: parked, the row could go out before it. Asked
   * only about rows that have to be parked; what is on its way is looked through once a page.
   */
  private boolean isOnItsWay(@Nullable String key) {
    if (key == null) {
      return false;
    }
    Set<String> keys = undecided;
    if (keys == null) {
      keys = inFlight.undecidedKeys();
      undecided = keys;
    }
    return keys.contains(key);
  }

  private void handedOver(@Nullable String key) {
    if (undecided != null && key != null) {
      undecided.add(key);
    }
  }

  private InFlight.Slot add(WindowReader.Row row) {
    Duration timeLeft = row.timeLeft();
    return inFlight.add(row.record(), timeLeft == null ? null : page.readAt + timeLeft.toNanos());
  }

  static Outcome expired(OutboxRecord record) {
    return new Outcome.Rejected(
        Outcome.Reason.EXPIRED,
        "It expired at " + record.expiresAt() + " before a broker had confirmed it.");
  }

  /**
   * Hands over what waited for another message of its key; parks it where that became a dead
   * letter, which is stored first, so that nothing is parked as if it could go out.
   */
  private void handOn(Publisher publisher) throws SQLException, LaneLostException {
    if (isTroubled()) {
      return;
    }
    List<BlockingKeys.Line> blocked = keys.handOn(publisher, WindowDrain::settleIfExpired);
    if (blocked.isEmpty()) {
      return;
    }
    List<Lost> lost = new ArrayList<>();
    List<OutboxRecord> records = new ArrayList<>();
    List<Wait> waits = new ArrayList<>();
    for (BlockingKeys.Line line : blocked) {
      InFlight.Slot first = line.first();
      if (!line.isStored()
          && lane.failures().judge(first.record, first.outcome()) instanceof Verdict.GiveUp up) {
        lost.add(new Lost(first.record.position(), up.cause()));
        records.add(first.record);
        ahead.add(first.record.position());
        first.stored();
      }
      for (InFlight.Slot slot : line.waiting()) {
        if (slot.outcome() == null) {
          waits.add(HeldRows.behind(slot.record));
          slot.stored();
        }
      }
      page.held.hold(first.record.key());
      keys.forget(first.record.key());
    }
    bury(lost, records);
    park(waits);
  }

  /** Settles a record that has expired while it waited for another one of its key. */
  static boolean settleIfExpired(InFlight.Slot slot) {
    boolean expired = slot.isExpired(System.nanoTime());
    if (expired) {
      slot.settled(slot.record, expired(slot.record));
    }
    return expired;
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
        if (giveUp.cause().blocksKey()) {
          page.held.hold(head.record.key());
        }
      } else {
        break;
      }
      keys.settledFor(head);
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
      lane.counters().published(record);
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
    FailureTriage triage = keepSettled();
    note();
    inFlight.clear();
    keys.clear();
    page = noPage(lane);
    readUpTo = cursor;
    exhausted = false;
    pagesRead = 0;
    late = WindowReader.runningAt(claim.state().done());
    pageSpan = new PageSpan(claim.state());
    boolean gotOn = cursor != before || !triage.lost().isEmpty() || !triage.toBeParked().isEmpty();
    return new Recovery(triage.trouble(), gotOn, triage.unknown());
  }

  private FailureTriage keepSettled() throws SQLException, LaneLostException {
    advance();
    long now = System.nanoTime();
    FailureTriage triage = new FailureTriage();
    for (InFlight.Slot slot : inFlight.inOrder()) {
      OutboxRecord record = slot.record;
      Outcome outcome = slot.outcome();
      if (outcome instanceof Outcome.Published) {
        succeed(record, now);
        ahead.add(record.position());
        triage.published(record);
      } else {
        triage.judged(record, lane.failures().judge(record, outcome));
        triage.unknown(outcome);
      }
    }
    triage.decide(
        lane.destinations(),
        now,
        broken -> lane.store().reader().hasOthers(claim.state(), cursor, broken));
    note();
    triage.lost().forEach(each -> ahead.add(each.position()));
    bury(triage.lost(), triage.lostRecords());
    park(triage.toBeParked());
    return triage;
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

  /** When the oldest record without an outcome was handed over, or null. */
  @Nullable Long unsettledSince() {
    return inFlight.unsettledSince();
  }

  /** How many records are handed over and not settled up to the cursor. */
  int rowsInFlight() {
    return inFlight.rows();
  }

  long cursor() {
    return cursor;
  }

  /** Only so many: what is left out is published again, with the same id. */
  List<Long> aheadBounded() {
    return ahead.stream().limit(1_000).toList();
  }
}
