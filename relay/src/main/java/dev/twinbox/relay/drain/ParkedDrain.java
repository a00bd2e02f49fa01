package dev.twinbox.relay.drain;

import dev.twinbox.broker.OutboxRecord;
import dev.twinbox.broker.Outcome;
import dev.twinbox.broker.Publisher;
import dev.twinbox.broker.Supervision;
import dev.twinbox.relay.store.Parked.Cap;
import dev.twinbox.relay.store.Parked.Due;
import dev.twinbox.relay.store.Parked.Hold;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Publishes what is parked beside the lane, in order of position, as soon as destination and key
 * allow: one batch at a time, by a publisher of its own, so that a probe of a broken destination
 * disturbs nothing that the window has in flight. A batch is twice a window's page, so that what is
 * parked gets less even while the window adds to it.
 *
 * <p>Used by the lane's thread. Costs nothing while nothing is parked.
 */
final class ParkedDrain {
  private static final long LOOK_AGAIN_NANOS = Duration.ofMillis(250).toNanos();
  private static final long LIMITED_NANOS = Duration.ofMillis(30).toNanos();
  private static final long SWEEP_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long AFTER_TROUBLE_NANOS = Duration.ofSeconds(1).toNanos();

  private final LaneContext lane;
  private final Supplier<Publisher> opener;
  private final InFlight inFlight;
  private final BlockingKeys keys;
  private final Map<Long, Due> batch = new HashMap<>();
  private @Nullable Publisher publisher;
  private boolean holding;
  private long nextLook;
  private long nextSweep;
  private String sweptUpTo = "";
  private @Nullable Long troubledSince;

  private ParkedDrain(LaneContext lane, Supplier<Publisher> opener) {
    this.lane = lane;
    this.opener = opener;
    this.inFlight = new InFlight(lane.wakeup());
    this.keys = new BlockingKeys(lane.failures()::blocks);
    this.nextLook = System.nanoTime();
    this.nextSweep = nextLook;
  }

  /** For a lane that was just claimed. */
  static ParkedDrain of(LaneContext lane, Supplier<Publisher> opener) throws SQLException {
    ParkedDrain drain = new ParkedDrain(lane, opener);
    drain.holding = lane.store().parked().any(lane.claim().state().lane());
    return drain;
  }

  /** Whether anything may be parked, or a key be blocked. */
  boolean isHolding() {
    return holding;
  }

  /** Something was parked, or a key blocked. */
  void holdsMore() {
    holding = true;
    nextLook = System.nanoTime();
  }

  /** Which rows of a page have to be parked. */
  HeldRows held(List<OutboxRecord> page) throws SQLException {
    Map<Long, Hold> found =
        holding && !page.isEmpty()
            ? lane.store().parked().held(lane.claim().state().lane(), page)
            : Map.of();
    return new HeldRows(found, lane.destinations());
  }

  /** One step, which never waits for the broker. */
  void step() throws SQLException, LaneLostException {
    if (!holding) {
      return;
    }
    long now = System.nanoTime();
    if (keys.isAnyWaiting() && !inFlight.isTroubled()) {
      // What waits behind a dead letter stays where it is: storing that blocks it.
      var unused = keys.handOn(publisher(), WindowDrain::settleIfExpired);
    }
    if (inFlight.isEmpty()) {
      if (now - nextLook >= 0) {
        handOverBatch(now);
      }
    } else if (inFlight.unsettled() == 0) {
      finishBatch();
    } else if (inFlight.hasExpired(now) || isTroubledForLong(now)) {
      closePublisher();
      finishBatch();
    }
  }

  /** After the first failure, outcomes of what was sent before it may still come. */
  private boolean isTroubledForLong(long now) {
    if (inFlight.isTroubled() && troubledSince == null) {
      troubledSince = now;
    }
    return troubledSince != null && now - troubledSince > AFTER_TROUBLE_NANOS;
  }

  private void handOverBatch(long now) throws SQLException {
    int laneNumber = lane.claim().state().lane();
    int most = 2 * lane.settings().pageRows();
    Map<String, Cap> caps = lane.destinations().caps(now);
    Map<String, Integer> taken = takeLimited(caps, laneNumber, most);
    List<Due> due =
        lane.store().parked().due(laneNumber, caps, most, 2 * lane.settings().pageBytes());
    giveBackUnused(taken, due);
    wrapProbes(caps, due);
    if (due.isEmpty()) {
      nextLook = now + (lane.destinations().isAnyLimited() ? LIMITED_NANOS : LOOK_AGAIN_NANOS);
      holding = lane.store().parked().any(laneNumber);
      sweep(now, laneNumber);
      return;
    }
    Publisher open = publisher();
    for (Due each : due) {
      OutboxRecord record = each.record();
      Duration timeLeft = each.timeLeft();
      batch.put(record.position(), each);
      InFlight.Slot slot = inFlight.add(record, timeLeft == null ? null : now + timeLeft.toNanos());
      if (each.flaw() != null) {
        slot.settled(record, each.flaw());
        keys.settled(slot);
      } else if (timeLeft != null && timeLeft.toNanos() <= System.nanoTime() - now) {
        slot.settled(record, WindowDrain.expired(record));
        keys.settled(slot);
      } else {
        keys.handOver(open, slot);
      }
    }
    open.flush();
  }

  /** What is parked draws from the same limits as what is not. */
  private Map<String, Integer> takeLimited(Map<String, Cap> caps, int laneNumber, int most) {
    Map<String, Integer> taken = new HashMap<>();
    for (String destination : lane.limiter().destinations()) {
      Cap cap = caps.getOrDefault(destination, Cap.of(most));
      int now = lane.limiter().take(destination, laneNumber, cap.rows());
      caps.put(destination, new Cap(now, cap.beyond()));
      taken.put(destination, now);
    }
    return taken;
  }

  /** A destination that refuses is probed in turns. */
  private void wrapProbes(Map<String, Cap> caps, List<Due> due) {
    caps.forEach(
        (destination, cap) -> {
          if (cap.rows() > 0
              && cap.beyond() > 0
              && due.stream().noneMatch(d -> d.record().destination().equals(destination))) {
            lane.destinations().probeFromTheFirst(destination);
          }
        });
  }

  private void giveBackUnused(Map<String, Integer> taken, List<Due> due) {
    taken.forEach(
        (destination, count) -> {
          int used =
              (int) due.stream().filter(d -> d.record().destination().equals(destination)).count();
          lane.limiter().giveBack(destination, count - used);
          if (count > 0 && used == 0) {
            lane.destinations().unlimit(destination);
          }
        });
  }

  /**
   * Looks, some keys at a time, for followers that nobody has released: of a message that an
   * operator has taken out by hand, or that went just while its follower was parked.
   */
  private void sweep(long now, int laneNumber) throws SQLException {
    if (now - nextSweep >= 0) {
      nextSweep = now + SWEEP_NANOS;
      sweptUpTo = lane.store().parked().releaseForgotten(laneNumber, sweptUpTo);
    }
  }

  /** Each message of the batch has its outcome: stores what became of it. */
  private void finishBatch() throws SQLException, LaneLostException {
    if (inFlight.isTroubled()) {
      closePublisher();
    }
    long now = System.nanoTime();
    List<OutboxRecord> published = new ArrayList<>();
    FailureTriage triage = new FailureTriage();
    for (InFlight.Slot slot : inFlight.inOrder()) {
      OutboxRecord record = slot.record;
      Outcome outcome = slot.outcome();
      if (slot.isWaiting() && outcome == null) {
        continue; // it was not handed over, and is parked as it was
      }
      if (outcome instanceof Outcome.Published) {
        published.add(record);
        triage.published(record);
        lane.failures().published(record);
        lane.destinations().published(record.destination(), now);
        lane.counters().published(record);
      } else {
        Due due = batch.get(record.position());
        triage.judged(
            record,
            due == null
                ? lane.failures().judge(record, outcome)
                : lane.failures().judge(record, outcome, due.attempts(), due.parkedAt()));
      }
    }
    inFlight.clear();
    keys.clear();
    batch.clear();
    troubledSince = null;
    // They are parked already; whatever else goes there is parked behind them.
    triage.decide(lane.destinations(), now, any -> true);
    boolean pause = triage.isAnythingRepeated() && published.isEmpty();
    nextLook = pause ? now + lane.failures().pause().toNanos() : now;
    store(published, triage);
  }

  private void store(List<OutboxRecord> published, FailureTriage triage)
      throws SQLException, LaneLostException {
    if (!published.isEmpty()) {
      lane.store().parked().confirm(lane.claim().state().lane(), published);
    }
    if (!triage.lost().isEmpty()) {
      lane.claim()
          .change(
              known -> lane.store().deadLetters().buryParked(triage.lost(), known), "dead letter");
      for (int i = 0; i < triage.lost().size(); i++) {
        lane.counters().deadLettered(triage.lostRecords().get(i), triage.lost().get(i).cause());
      }
    }
    // What waits for its destination is where it has to be: nothing is written for it.
    if (!triage.failed().isEmpty()) {
      lane.store().parked().postpone(triage.failed(), lane.claim().state());
    }
  }

  /** When the oldest message without an outcome was handed over, or null. */
  @Nullable Long unsettledSince() {
    return inFlight.unsettledSince();
  }

  /** What its publisher waits for. */
  String waitsFor() {
    Publisher open = publisher;
    return open == null ? "" : open.waitsFor();
  }

  /** How many handed-over messages have no outcome yet. */
  int unsettled() {
    return inFlight.unsettled();
  }

  /** For a stop: what has no outcome by now goes out again. */
  void finish() throws SQLException, LaneLostException {
    closePublisher();
    if (!inFlight.isEmpty()) {
      finishBatch();
    }
  }

  /** The lane is not ours any more. */
  void closePublisher() {
    Publisher open = publisher;
    publisher = null;
    if (open != null) {
      Supervision.run("closing a publisher", open::close);
    }
  }

  private Publisher publisher() {
    Publisher open = publisher;
    if (open == null) {
      open = opener.get();
      publisher = open;
    }
    return open;
  }
}
